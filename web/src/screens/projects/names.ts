/** A name for a project, from where its images come: the last folder's, with a number where it is taken. */
export function nameFor(path: string, taken: readonly string[]): string {
  const parts = path.split(/[\\/]+/).filter(Boolean);
  const isFile = /\.[a-z0-9]{2,5}$/i.test(parts.at(-1) ?? "");
  const base =
    (isFile && parts.length > 1 ? parts.at(-2) : parts.at(-1))?.replace(/\.[a-z0-9]{2,5}$/i, "") ?? "";
  const plain = ["images", "train", "val", "test", "JPEGImages"].includes(base)
    ? (parts.at(isFile ? -3 : -2) ?? base)
    : base;
  if (!plain || !taken.includes(plain)) return plain;
  let number = 2;
  while (taken.includes(`${plain}-${number}`)) number += 1;
  return `${plain}-${number}`;
}
