/** Labels that the filter shows: of one class, or of all. Null while it is not known. */
export function shownCount(
  stats: { items: readonly { class_name: string; current: number }[]; current: number } | null,
  className: string | null,
): number | null {
  if (!stats) return null;
  if (className === null) return stats.current;
  return stats.items.find((each) => each.class_name === className)?.current ?? 0;
}
