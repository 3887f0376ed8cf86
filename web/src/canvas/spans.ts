/**
 * Painted pixels as sorted runs per column: what a brush changes. A stroke costs the columns it touches, whatever the
 * size of the image, and the columns are already in the order in which COCO writes them.
 */
import { decodeCounts, encodeCounts } from "./rle";
import type { Bounds, Mask } from "./types";

/** y0, y1, y0, y1, ... of one column; y1 is the first row that is not painted. */
type Column = number[];

export class Spans {
  readonly width: number;
  readonly height: number;
  private readonly columns: (Column | undefined)[];

  constructor(width: number, height: number, columns?: (Column | undefined)[]) {
    this.width = width;
    this.height = height;
    this.columns = columns ?? new Array<Column | undefined>(width);
  }

  static fromMask(mask: Mask): Spans {
    const spans = new Spans(mask.width, mask.height);
    const { width, height, columns } = spans;
    let at = 0;
    let painted = false;
    for (const run of decodeCounts(mask.counts)) {
      if (painted && run > 0) {
        const end = Math.min(at + run, width * height);
        for (let from = at; from < end; ) {
          const x = Math.floor(from / height);
          const to = Math.min(end, (x + 1) * height);
          const column = columns[x];
          if (column) column.push(from - x * height, to - x * height);
          else columns[x] = [from - x * height, to - x * height];
          from = to;
        }
      }
      at += run;
      painted = !painted;
    }
    return spans;
  }

  /** Runs over the whole image, as COCO has them: they begin with background. */
  toRuns(): number[] {
    const runs: number[] = [];
    let end = 0; // of the last painted run, counted over the whole image
    for (let x = 0; x < this.width; x += 1) {
      const column = this.columns[x];
      if (!column) continue;
      const base = x * this.height;
      for (let i = 0; i < column.length; i += 2) {
        const from = base + column[i]!;
        const to = base + column[i + 1]!;
        if (from === end && runs.length) runs[runs.length - 1]! += to - from;
        else runs.push(from - end, to - from);
        end = to;
      }
    }
    const rest = this.width * this.height - end;
    if (rest > 0 || !runs.length) runs.push(rest);
    return runs;
  }

  toMask(): Mask {
    return { type: "mask", width: this.width, height: this.height, counts: encodeCounts(this.toRuns()) };
  }

  copy(): Spans {
    return new Spans(
      this.width,
      this.height,
      this.columns.map((column) => column?.slice()),
    );
  }

  /** The smallest rectangle around what is painted, in whole pixels; null if nothing is. */
  bounds(): Bounds | null {
    let x0 = -1;
    let x1 = -1;
    let y0 = this.height;
    let y1 = 0;
    for (let x = 0; x < this.width; x += 1) {
      const column = this.columns[x];
      if (!column?.length) continue;
      if (x0 < 0) x0 = x;
      x1 = x + 1;
      if (column[0]! < y0) y0 = column[0]!;
      const last = column[column.length - 1]!;
      if (last > y1) y1 = last;
    }
    return x0 < 0 ? null : { x0, y0, x1, y1 };
  }

  area(): number {
    let sum = 0;
    for (const column of this.columns) {
      if (column) for (let i = 0; i < column.length; i += 2) sum += column[i + 1]! - column[i]!;
    }
    return sum;
  }

  has(x: number, y: number): boolean {
    const column = this.columns[Math.floor(x)];
    if (!column) return false;
    const row = Math.floor(y);
    for (let i = 0; i < column.length; i += 2) {
      if (row < column[i]!) return false;
      if (row < column[i + 1]!) return true;
    }
    return false;
  }

  /** The runs of one column, y0, y1, ...; read only. */
  column(x: number): readonly number[] {
    return this.columns[x] ?? NONE;
  }

  /** Moved by whole pixels; what leaves the image is cut off. */
  moved(dx: number, dy: number): Spans {
    const moved = new Spans(this.width, this.height);
    for (let x = Math.max(0, -dx); x < Math.min(this.width, this.width - dx); x += 1) {
      const column = this.columns[x];
      if (!column) continue;
      const shifted: Column = [];
      for (let i = 0; i < column.length; i += 2) {
        const from = Math.max(0, column[i]! + dy);
        const to = Math.min(this.height, column[i + 1]! + dy);
        if (from < to) shifted.push(from, to);
      }
      if (shifted.length) moved.columns[x + dx] = shifted;
    }
    return moved;
  }

  /**
   * Paint (or rub out) what a round brush of this diameter covers on its way from one point to another: the pixels
   * whose centre is inside. Returns the rectangle that was touched, null if it is off the image.
   */
  stroke(ax: number, ay: number, bx: number, by: number, diameter: number, paint: boolean): Bounds | null {
    const radius = Math.max(0.5, diameter / 2);
    const x0 = Math.max(0, Math.floor(Math.min(ax, bx) - radius));
    const x1 = Math.min(this.width, Math.ceil(Math.max(ax, bx) + radius));
    let y0 = this.height;
    let y1 = 0;
    let left = -1;
    let right = -1;
    for (let x = x0; x < x1; x += 1) {
      const hit = capsuleAt(x + 0.5, ax, ay, bx, by, radius);
      if (!hit) continue;
      const from = Math.max(0, Math.ceil(hit[0] - 0.5));
      const to = Math.min(this.height, Math.floor(hit[1] - 0.5) + 1);
      if (from >= to) continue;
      if (paint) this.columns[x] = withSpan(this.columns[x], from, to);
      else this.columns[x] = withoutSpan(this.columns[x], from, to);
      if (left < 0) left = x;
      right = x + 1;
      y0 = Math.min(y0, from);
      y1 = Math.max(y1, to);
    }
    return left < 0 ? null : { x0: left, y0, x1: right, y1 };
  }
}

const NONE: readonly number[] = [];

/** Where a small brush must stand so that it covers whole pixels: on a centre if odd, on a corner if even. */
export function snapBrush(value: number, diameter: number): number {
  if (diameter > 12) return value;
  return Math.round(diameter) % 2 ? Math.floor(value) + 0.5 : Math.round(value);
}

const interval: [number, number] = [0, 0];

/** The part of the line x that lies in the capsule around a-b; the answer is valid until the next call. */
function capsuleAt(
  x: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  r: number,
): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const reach = r * r + 1e-9;
  const da = reach - (x - ax) * (x - ax);
  if (da >= 0) {
    const half = Math.sqrt(da);
    low = ay - half;
    high = ay + half;
  }
  const db = reach - (x - bx) * (x - bx);
  if (db >= 0) {
    const half = Math.sqrt(db);
    low = Math.min(low, by - half);
    high = Math.max(high, by + half);
  }
  const dx = bx - ax;
  const dy = by - ay;
  const length = Math.hypot(dx, dy);
  if (length > 0) {
    // The two long sides of the body: where the line x meets them is inside the convex shape.
    const nx = (-dy / length) * r;
    const ny = (dx / length) * r;
    for (const side of [1, -1]) {
      const sx = ax + side * nx;
      const t = dx === 0 ? -1 : (x - sx) / dx;
      if (t >= 0 && t <= 1) {
        const y = ay + side * ny + t * dy;
        low = Math.min(low, y);
        high = Math.max(high, y);
      }
    }
  }
  if (high < low) return null;
  interval[0] = low;
  interval[1] = high;
  return interval;
}

function withSpan(column: Column | undefined, from: number, to: number): Column {
  if (!column?.length) return [from, to];
  const last = column.length - 1;
  if (from >= column[last - 1]! && from <= column[last]!) {
    if (to > column[last]!) column[last] = to; // the common case: the stroke goes on where it was
    return column;
  }
  const out: Column = [];
  let i = 0;
  for (; i < column.length && column[i + 1]! < from; i += 2) out.push(column[i]!, column[i + 1]!);
  let low = from;
  let high = to;
  for (; i < column.length && column[i]! <= to; i += 2) {
    low = Math.min(low, column[i]!);
    high = Math.max(high, column[i + 1]!);
  }
  out.push(low, high);
  for (; i < column.length; i += 2) out.push(column[i]!, column[i + 1]!);
  return out;
}

function withoutSpan(column: Column | undefined, from: number, to: number): Column | undefined {
  if (!column?.length || to <= column[0]! || from >= column[column.length - 1]!) return column;
  const out: Column = [];
  for (let i = 0; i < column.length; i += 2) {
    const a = column[i]!;
    const b = column[i + 1]!;
    if (b <= from || a >= to) out.push(a, b);
    else {
      if (a < from) out.push(a, from);
      if (b > to) out.push(to, b);
    }
  }
  return out.length ? out : undefined;
}

const known = new WeakMap<Mask, Spans>();

/** The spans of a mask, made once for each mask value. Read only: copy before painting. */
export function spansOf(mask: Mask): Spans {
  let spans = known.get(mask);
  if (!spans) {
    spans = Spans.fromMask(mask);
    known.set(mask, spans);
  }
  return spans;
}

/** Remember the spans of a mask that was made of them, so that they are not read again. */
export function rememberSpans(mask: Mask, spans: Spans): Mask {
  known.set(mask, spans);
  return mask;
}
