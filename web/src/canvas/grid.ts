/**
 * Where shapes are: a hierarchy of grids. A shape lies in the level whose cells are as large as it is, so it is in at
 * most four cells; putting in, taking out and asking cost what is there, not what there is.
 */
import { type Bounds, overlaps } from "./types";

interface Entry {
  key: string;
  bounds: Bounds;
  level: number;
}

const SMALLEST = 32;
const COLUMNS = 1 << 20;

export class Grid {
  private readonly entries = new Map<string, Entry>();
  private readonly levels: Map<number, Set<Entry>>[] = [];
  private readonly counts: number[] = [];

  get size(): number {
    return this.entries.size;
  }

  put(key: string, bounds: Bounds): void {
    this.take(key);
    const side = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0, 1);
    const level = Math.max(0, Math.ceil(Math.log2(side / SMALLEST)));
    const entry = { key, bounds, level };
    this.entries.set(key, entry);
    while (this.levels.length <= level) {
      this.levels.push(new Map());
      this.counts.push(0);
    }
    const cells = this.levels[level]!;
    this.counts[level]! += 1;
    eachCell(bounds, level, (cell) => {
      const there = cells.get(cell);
      if (there) there.add(entry);
      else cells.set(cell, new Set([entry]));
    });
  }

  take(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    const cells = this.levels[entry.level]!;
    this.counts[entry.level]! -= 1;
    eachCell(entry.bounds, entry.level, (cell) => {
      const there = cells.get(cell);
      there?.delete(entry);
      if (there?.size === 0) cells.delete(cell);
    });
  }

  clear(): void {
    this.entries.clear();
    this.levels.length = 0;
    this.counts.length = 0;
  }

  /** Keys of all whose bounds meet these, in no order. */
  query(bounds: Bounds): string[] {
    const found: string[] = [];
    const seen = new Set<Entry>();
    this.levels.forEach((cells, level) => {
      if (!this.counts[level]) return;
      const side = SMALLEST * 2 ** level;
      const wanted = ((bounds.x1 - bounds.x0) / side + 1) * ((bounds.y1 - bounds.y0) / side + 1);
      const look = (there: Set<Entry> | undefined) => {
        if (!there) return;
        for (const entry of there) {
          if (seen.has(entry) || !overlaps(entry.bounds, bounds)) continue;
          seen.add(entry);
          found.push(entry.key);
        }
      };
      if (wanted > cells.size) for (const there of cells.values()) look(there);
      else eachCell(bounds, level, (cell) => look(cells.get(cell)));
    });
    return found;
  }
}

function eachCell(b: Bounds, level: number, visit: (cell: number) => void): void {
  const side = SMALLEST * 2 ** level;
  const half = COLUMNS / 2; // labels may reach past the edges of the image
  for (let row = Math.floor(b.y0 / side); row <= Math.floor(b.y1 / side); row += 1) {
    for (let column = Math.floor(b.x0 / side); column <= Math.floor(b.x1 / side); column += 1) {
      visit((row + half) * COLUMNS + column + half);
    }
  }
}
