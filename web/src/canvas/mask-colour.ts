/** Makes RGBA pixels of a mask, cropped to what is painted, with a darker edge; smaller by whole steps where that is enough. */
import { Spans } from "./spans";

export interface MaskJob {
  width: number;
  height: number;
  counts: string;
  /** `#rrggbb` */
  color: string;
  /** One pixel of the picture stands for step x step pixels of the image. */
  step: number;
}

export interface ColouredMask {
  pixels: Uint8ClampedArray<ArrayBuffer>;
  columns: number;
  rows: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

const FILL = 115; // of 255: MASK_ALPHA
const EDGE = 230;

/** Colour it; null if nothing is painted. */
export function colourMask({ width, height, counts, color, step }: MaskJob): ColouredMask | null {
  const spans = Spans.fromMask({ type: "mask", width, height, counts });
  const b = spans.bounds();
  if (!b) return null;
  const columns = Math.ceil((b.x1 - b.x0) / step);
  const rows = Math.ceil((b.y1 - b.y0) / step);
  const painted = new Uint8Array(columns * rows);
  for (let column = 0; column < columns; column += 1) {
    const runs = spans.column(Math.min(b.x1 - 1, b.x0 + column * step + (step >> 1)));
    for (let i = 0; i < runs.length; i += 2) {
      const from = Math.round((runs[i]! - b.y0) / step);
      const to = Math.max(from + 1, Math.round((runs[i + 1]! - b.y0) / step));
      for (let row = from; row < Math.min(rows, to); row += 1) painted[row * columns + column] = 1;
    }
  }
  const value = Number.parseInt(color.slice(1), 16);
  const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255];
  const pixels = new Uint8ClampedArray(4 * columns * rows);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const at = row * columns + column;
      if (!painted[at]) continue;
      const inner =
        row > 0 &&
        row < rows - 1 &&
        column > 0 &&
        column < columns - 1 &&
        painted[at - 1] &&
        painted[at + 1] &&
        painted[at - columns] &&
        painted[at + columns];
      pixels[4 * at] = red;
      pixels[4 * at + 1] = green;
      pixels[4 * at + 2] = blue;
      pixels[4 * at + 3] = inner ? FILL : EDGE;
    }
  }
  return { pixels, columns, rows, x: b.x0, y: b.y0, width: columns * step, height: rows * step };
}
