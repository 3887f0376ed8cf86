/** What is to become of the tags of many images: each may be on all of them, on some or on none. */
export type Mark = "all" | "some" | "none";

export interface Choice {
  name: string;
  /** As it is. */
  now: Mark;
  /** As it shall be. */
  next: Mark;
}

/** Changes asked for so far: a tag on all of them, or off all of them. */
export type Changes = ReadonlyMap<string, boolean>;

export function markOf(count: number | undefined, size: number): Mark {
  if (!count) return "none";
  return count >= size ? "all" : "some";
}

/** All tags with how they are and shall be; new ones at the end. */
export function choices(
  known: readonly string[],
  counts: ReadonlyMap<string, number>,
  size: number,
  changes: Changes,
): Choice[] {
  const names = [...new Set([...known, ...counts.keys(), ...changes.keys()])];
  return names.map((name) => {
    const now = markOf(counts.get(name), size);
    const change = changes.get(name);
    return { name, now, next: change === undefined ? now : change ? "all" : "none" };
  });
}

/** A click: on for all, off for all, and back to how it was. */
export function turn(changes: Changes, choice: Choice): Changes {
  const next = new Map(changes);
  const wanted = choice.next !== "all";
  const back =
    choice.now === "some" ? changes.get(choice.name) === false : choice.now === (wanted ? "all" : "none");
  if (back) next.delete(choice.name);
  else next.set(choice.name, wanted);
  return next;
}
