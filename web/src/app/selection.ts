/**
 * Which images are selected: some by id, or all that the filter shows. Kept in the address, so that the editor, runs and
 * exports find it: ids as sorted runs in base 36 (`1-9.c.2s-40`). A selection too long for an address lies in this
 * tab's session storage, and the address names it (`@…`).
 */

export type Selection = { all: true } | { all: false; ids: ReadonlySet<number> };

export const NOTHING: Selection = { all: false, ids: new Set() };
export const EVERYTHING: Selection = { all: true };

const LONGEST = 3000;
const STORED = "countersign.selection.";

type Storage = Pick<globalThis.Storage, "getItem" | "setItem">;

export function selectionSize(selection: Selection, shown: number): number {
  return selection.all ? shown : selection.ids.size;
}

export function isSelected(selection: Selection, id: number): boolean {
  return selection.all || selection.ids.has(id);
}

/** Ids as text: runs of neighbours, each start written as the distance from the end of the run before. */
export function packIds(ids: Iterable<number>): string {
  const sorted = [...ids].sort((a, b) => a - b);
  const parts: string[] = [];
  let before = 0;
  for (let i = 0; i < sorted.length; ) {
    const start = sorted[i]!;
    let end = start;
    while (i + 1 < sorted.length && sorted[i + 1]! <= end + 1) end = sorted[++i]!;
    i += 1;
    parts.push((start - before).toString(36) + (end > start ? `-${(end - start).toString(36)}` : ""));
    before = end;
  }
  return parts.join(".");
}

export function unpackIds(text: string): Set<number> {
  const ids = new Set<number>();
  let at = 0;
  for (const part of text.split(".")) {
    const [gap = "", more = "0"] = part.split("-");
    const start = at + Number.parseInt(gap, 36);
    const length = Number.parseInt(more, 36);
    if (!Number.isSafeInteger(start) || !(length >= 0) || length > 10_000_000) return ids;
    for (let id = start; id <= start + length; id += 1) ids.add(id);
    at = start + length;
  }
  return ids;
}

/** The selection as a value of the address; empty: nothing is selected. */
export function writeSelection(selection: Selection, storage: Storage | null = sessionStore()): string {
  if (selection.all) return "all";
  if (selection.ids.size === 0) return "";
  const text = packIds(selection.ids);
  if (text.length <= LONGEST || storage === null) return text;
  const name = digest(text);
  try {
    storage.setItem(STORED + name, text);
    return `@${name}`;
  } catch {
    return text; // storage is full: a long address is better than a lost selection
  }
}

export function readSelection(text: string, storage: Storage | null = sessionStore()): Selection {
  if (!text) return NOTHING;
  if (text === "all") return EVERYTHING;
  const packed = text.startsWith("@") ? (storage?.getItem(STORED + text.slice(1)) ?? "") : text;
  return packed ? { all: false, ids: unpackIds(packed) } : NOTHING;
}

function sessionStore(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

function digest(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i += 1) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b + text.charCodeAt(i), 0x85ebca6b) ^ (b >>> 13);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

/** What a click does. `order` are the ids as shown; `anchor` is where a range begins. */
export function click(
  selection: Selection,
  order: readonly number[],
  index: number,
  keys: { shift: boolean; mod: boolean },
  anchor: number | null,
): Selection {
  const id = order[index];
  if (id === undefined) return selection;
  if (keys.shift && anchor !== null) {
    const range = order.slice(Math.min(anchor, index), Math.max(anchor, index) + 1);
    return { all: false, ids: new Set([...(keys.mod ? idsOf(selection, order) : []), ...range]) };
  }
  if (keys.mod) return toggle(selection, order, id);
  return { all: false, ids: new Set([id]) };
}

export function toggle(selection: Selection, order: readonly number[], id: number): Selection {
  const ids = new Set(idsOf(selection, order));
  if (!ids.delete(id)) ids.add(id);
  return { all: false, ids };
}

/** Everything selected, as ids. */
export function idsOf(selection: Selection, order: readonly number[]): Iterable<number> {
  return selection.all ? order : selection.ids;
}

export interface GridShape {
  columns: number;
  /** Distance between the left edges of neighbours, and the top edges. */
  stepX: number;
  stepY: number;
  /** Size of a tile. */
  width: number;
  height: number;
  /** Space before the first tile. */
  padding: number;
  count: number;
}

/** Indices of the tiles that a rectangle (in the grid's own coordinates) touches. */
export function tilesIn(
  shape: GridShape,
  rect: { x0: number; y0: number; x1: number; y1: number },
): number[] {
  const cells = (from: number, to: number, step: number, size: number, most: number) => {
    const first = Math.max(0, Math.ceil((from - shape.padding - size) / step));
    const last = Math.min(most - 1, Math.floor((to - shape.padding) / step));
    return [first, last] as const;
  };
  const rows = Math.ceil(shape.count / shape.columns);
  const [left, right] = cells(
    Math.min(rect.x0, rect.x1),
    Math.max(rect.x0, rect.x1),
    shape.stepX,
    shape.width,
    shape.columns,
  );
  const [top, bottom] = cells(
    Math.min(rect.y0, rect.y1),
    Math.max(rect.y0, rect.y1),
    shape.stepY,
    shape.height,
    rows,
  );
  const found: number[] = [];
  for (let row = top; row <= bottom; row += 1) {
    for (let column = left; column <= right; column += 1) {
      const index = row * shape.columns + column;
      if (index < shape.count) found.push(index);
    }
  }
  return found;
}
