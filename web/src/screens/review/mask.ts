/** COCO's compressed run-length masks as a picture, for tiles. No DOM but for `ImageData`. */

/** Lengths of the runs, column by column, beginning with what is not painted. */
export function decodeRuns(counts: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < counts.length; ) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more && at < counts.length) {
      const part = counts.charCodeAt(at) - 48;
      value |= (part & 0x1f) << shift;
      more = (part & 0x20) !== 0;
      at += 1;
      shift += 5;
      if (!more && part & 0x10) value |= -1 << shift;
    }
    // From the third run on, what is written is the difference to the last run but one.
    runs.push(runs.length > 2 ? value + runs[runs.length - 2]! : value);
  }
  return runs;
}

export interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The same part of an image that is kept at another size. */
export function scaled({ x, y, width, height }: Part, by: number): Part {
  return { x: x * by, y: y * by, width: width * by, height: height * by };
}

/**
 * Whether each of `columns` x `rows` samples of a part of the image is painted (row by row). Samples lie in the middle
 * of equal cells: a tile needs no more of a mask than it has pixels.
 */
export function sampleMask(
  mask: { width: number; height: number; counts: string },
  part: Part,
  columns: number,
  rows: number,
): Uint8Array {
  const out = new Uint8Array(columns * rows);
  const runs = decodeRuns(mask.counts);
  const last = runs.length % 2 ? (runs.at(-1) ?? 0) : 0; // what is not painted at the end
  const painted = runs.reduce((sum, length) => sum + length, 0) - last;
  let at = { run: 0, end: runs[0] ?? 0 };
  let before = { x: -1, at };
  for (let column = 0; column < columns; column += 1) {
    const x = Math.min(mask.width - 1, Math.floor(part.x + ((column + 0.5) * part.width) / columns));
    if (x < 0 || (x + 1) * mask.height <= (runs[0] ?? 0)) continue;
    if (x * mask.height >= painted) break;
    // A part smaller than its picture shows the same column of the mask again: back to where that began.
    if (x === before.x) at = before.at;
    else before = { x, at };
    let { run, end } = at;
    for (let row = 0; row < rows; row += 1) {
      const y = Math.min(mask.height - 1, Math.floor(part.y + ((row + 0.5) * part.height) / rows));
      const pixel = x * mask.height + y;
      // Samples come in the order of the runs (down each column, columns from left to right).
      while (run < runs.length - 1 && pixel >= end) {
        run += 1;
        end += runs[run]!;
      }
      if (y >= 0 && run % 2 === 1 && pixel < end) out[row * columns + column] = 1;
    }
    at = { run, end };
  }
  return out;
}

/** Paint samples over a picture (RGBA): its edge in full colour, the inside so that the image shows through. */
export function paintMask(
  into: Uint8ClampedArray,
  painted: Uint8Array,
  columns: number,
  color: string,
): void {
  const value = Number.parseInt(color.slice(1), 16);
  for (let i = painted.indexOf(1); i >= 0; i = painted.indexOf(1, i + 1)) {
    const x = i % columns;
    const edge =
      (x > 0 && !painted[i - 1]) ||
      (x < columns - 1 && !painted[i + 1]) ||
      (i >= columns && !painted[i - columns]) ||
      (i + columns < painted.length && !painted[i + columns]);
    into[4 * i] = value >> 16;
    into[4 * i + 1] = (value >> 8) & 255;
    into[4 * i + 2] = value & 255;
    into[4 * i + 3] = edge ? 255 : 90;
  }
}
