/** The class table: in which order, and which rows. No React. */

export type SortKey = "name" | "count" | "mean";

export interface Sorting {
  by: SortKey;
  down: boolean;
}

interface Row {
  class_name: string;
  current: number;
  mean_confidence: number | null;
}

const { compare } = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** In the order of their names; "cell 2" stands before "cell 10". */
export function byName<T extends { name: string }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => compare(a.name, b.name));
}

/** A click on the head of a column: names begin at A, numbers with the largest; once more turns it around. */
export function sortBy(now: Sorting, by: SortKey): Sorting {
  return now.by === by ? { by, down: !now.down } : { by, down: by !== "name" };
}

/** The rows whose names have the text in them, in order; "cell 2" stands before "cell 10". */
export function sorted<T extends Row>(rows: readonly T[], { by, down }: Sorting, text = ""): T[] {
  const wanted = text.trim().toLowerCase();
  const value = (row: T) => (by === "count" ? row.current : (row.mean_confidence ?? -1));
  return rows
    .filter((row) => row.class_name.toLowerCase().includes(wanted))
    .sort((a, b) => {
      const first = by === "name" ? compare(a.class_name, b.class_name) : value(a) - value(b);
      return (down ? -first : first) || compare(a.class_name, b.class_name);
    });
}
