/** Where the tiles of the grid are. Pure: sizes in, places out. */
import type { GridShape } from "~/app/selection";

export const GAP = 8;
export const PADDING = 12;
export const CAPTION = 24;
export const SMALLEST = 88;
export const LARGEST = 400;

/** Fit as many columns of about `zoom` pixels as there is room for; they share what is left. */
export function gridShape(width: number, zoom: number, count: number): GridShape {
  const room = Math.max(SMALLEST, width - 2 * PADDING);
  const columns = Math.max(1, Math.floor((room + GAP) / (zoom + GAP)));
  const tile = Math.floor((room - (columns - 1) * GAP) / columns);
  const height = Math.round(tile * 0.75) + (tile >= 120 ? CAPTION : 0);
  return { columns, width: tile, height, stepX: tile + GAP, stepY: height + GAP, padding: PADDING, count };
}

/** The size of the picture within a tile. */
export function pictureSize(shape: GridShape): { width: number; height: number } {
  return { width: shape.width, height: Math.round(shape.width * 0.75) };
}

export function rowsOf(shape: GridShape): number {
  return Math.ceil(shape.count / shape.columns);
}

/** Where a key moves the cursor; null if the key moves nothing. */
export function moveCursor(key: string, at: number, shape: GridShape, rowsInSight: number): number | null {
  const last = shape.count - 1;
  const page = shape.columns * Math.max(1, rowsInSight - 1);
  const steps: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - shape.columns,
    ArrowDown: at + shape.columns,
    PageUp: at - page,
    PageDown: at + page,
    Home: 0,
    End: last,
  };
  const to = steps[key];
  if (to === undefined || last < 0) return null;
  if (key === "ArrowUp" && to < 0) return at;
  if (key === "PageUp" && to < 0) return at % shape.columns;
  if (key === "ArrowDown" && to > last) return Math.floor(at / shape.columns) < rowsOf(shape) - 1 ? last : at;
  return Math.min(last, Math.max(0, to));
}
