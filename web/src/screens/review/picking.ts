/** Selecting in a grid: which places are picked, where the cursor is. Places are counted from 0. No React, no DOM. */

export interface Picked {
  /** Where the keyboard is; -1: nowhere. */
  cursor: number;
  /** Where a range begins. */
  anchor: number;
  ids: ReadonlySet<number>;
}

export const NOTHING: Picked = { cursor: -1, anchor: -1, ids: new Set() };

export interface Held {
  shift: boolean;
  /** Control, or Command on a Mac. */
  mod: boolean;
}

type IdAt = (place: number) => number | undefined;

function range(from: number, to: number, idAt: IdAt): number[] {
  const ids: number[] = [];
  for (let place = Math.min(from, to); place <= Math.max(from, to); place += 1) {
    const id = idAt(place);
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

/** A click: alone it picks one; with shift all from the anchor; with mod it adds or takes away. */
export function click(picked: Picked, place: number, held: Held, idAt: IdAt): Picked {
  const id = idAt(place);
  if (id === undefined) return picked;
  if (held.shift && picked.anchor >= 0) {
    const found = range(picked.anchor, place, idAt);
    return {
      cursor: place,
      anchor: picked.anchor,
      ids: new Set(held.mod ? [...picked.ids, ...found] : found),
    };
  }
  if (held.mod) {
    const ids = new Set(picked.ids);
    if (!ids.delete(id)) ids.add(id);
    return { cursor: place, anchor: place, ids };
  }
  return { cursor: place, anchor: place, ids: new Set([id]) };
}

/** A step of the cursor by so many places, kept in the grid; with shift the range grows. */
export function step(picked: Picked, by: number, count: number, shift: boolean, idAt: IdAt): Picked {
  if (count === 0) return NOTHING;
  if (picked.cursor < 0) return moveTo(picked, by > 0 ? 0 : count - 1, shift, idAt);
  const aim = picked.cursor + by;
  // Up from the first row stays where it is; down from the last but one may land on the last tile.
  const place = aim < 0 ? (by < -1 ? picked.cursor : 0) : Math.min(aim, count - 1);
  return moveTo(picked, place, shift, idAt);
}

/** Go to a place; with shift all from the anchor to it are picked. */
export function moveTo(picked: Picked, place: number, shift: boolean, idAt: IdAt): Picked {
  return click(picked, place, { shift, mod: false }, idAt);
}

/** A grid of equal tiles: `columns` beside each other, each `width` x `height` with its gap. */
export interface GridShape {
  columns: number;
  width: number;
  height: number;
  count: number;
}

export interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Places of the tiles that a rectangle touches. `gap` is the part of a tile's size that is not tile. */
export function placesIn(rect: Rect, shape: GridShape, gap: number): number[] {
  const places: number[] = [];
  if (shape.width <= 0 || shape.height <= 0) return places;
  const firstRow = Math.max(0, Math.floor(rect.top / shape.height));
  const lastRow = Math.min(
    Math.ceil(shape.count / shape.columns) - 1,
    Math.floor(rect.bottom / shape.height),
  );
  const firstColumn = Math.max(0, Math.floor(rect.left / shape.width));
  const lastColumn = Math.min(shape.columns - 1, Math.floor(rect.right / shape.width));
  for (let row = firstRow; row <= lastRow; row += 1) {
    if (row * shape.height + shape.height - gap < rect.top) continue;
    for (let column = firstColumn; column <= lastColumn; column += 1) {
      if (column * shape.width + shape.width - gap < rect.left) continue;
      const place = row * shape.columns + column;
      if (place < shape.count) places.push(place);
    }
  }
  return places;
}

/** A lasso: what it touches; with `base` what was picked before stays picked. */
export function lasso(base: Picked, places: readonly number[], idAt: IdAt): Picked {
  const ids = new Set(base.ids);
  for (const place of places) {
    const id = idAt(place);
    if (id !== undefined) ids.add(id);
  }
  const last = places.at(-1);
  return last === undefined ? base : { cursor: last, anchor: places[0]!, ids };
}
