import { describe, expect, it } from "vitest";
import {
  click,
  EVERYTHING,
  type GridShape,
  NOTHING,
  packIds,
  readSelection,
  type Selection,
  tilesIn,
  toggle,
  unpackIds,
  writeSelection,
} from "./selection";

const of = (...ids: number[]): Selection => ({ all: false, ids: new Set(ids) });
const ids = (selection: Selection) => (selection.all ? "all" : [...selection.ids].sort((a, b) => a - b));

function memory() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  };
}

describe("in the address", () => {
  it.each([[[]], [[1]], [[1, 2, 3, 7]], [[5, 4, 100_000, 99_999]], [[3, 3, 3]], [[36, 37, 1296]]])(
    "keeps %j",
    (some) => {
      if (some.length)
        expect([...unpackIds(packIds(some))]).toEqual([...new Set(some)].sort((a, b) => a - b));
      expect(ids(readSelection(writeSelection(of(...some), null), null))).toEqual(
        [...new Set(some)].sort((a, b) => a - b),
      );
    },
  );

  it("is short for neighbours", () =>
    expect(packIds(Array.from({ length: 5000 }, (_, i) => i + 10))).toBe("a-3uv"));

  it("puts a long one aside", () => {
    const storage = memory();
    const many = of(...Array.from({ length: 5000 }, (_, i) => i * 3 + 1));
    const text = writeSelection(many, storage);
    expect(text).toMatch(/^@\w+$/);
    expect(ids(readSelection(text, storage))).toEqual(ids(many));
    expect(readSelection(text, memory())).toEqual(NOTHING);
  });

  it("knows all and nothing", () => {
    expect(writeSelection(EVERYTHING)).toBe("all");
    expect(readSelection("all")).toEqual(EVERYTHING);
    expect(readSelection("")).toEqual(NOTHING);
    expect(ids(readSelection("!!", null))).toEqual([]);
  });
});

describe("clicking", () => {
  const order = [10, 20, 30, 40, 50];
  const plain = { shift: false, mod: false };
  it("takes one", () => expect(ids(click(of(10, 20), order, 3, plain, 0))).toEqual([40]));
  it("adds and removes with the control key", () => {
    expect(ids(click(of(10), order, 3, { ...plain, mod: true }, 0))).toEqual([10, 40]);
    expect(ids(click(of(10, 40), order, 3, { ...plain, mod: true }, 0))).toEqual([10]);
  });
  it("takes a range with shift, in either direction", () => {
    expect(ids(click(of(10), order, 3, { ...plain, shift: true }, 1))).toEqual([20, 30, 40]);
    expect(ids(click(of(10), order, 0, { ...plain, shift: true }, 2))).toEqual([10, 20, 30]);
  });
  it("joins a range with both", () =>
    expect(ids(click(of(10), order, 4, { shift: true, mod: true }, 3))).toEqual([10, 40, 50]));
  it("takes one out of all", () => expect(ids(toggle(EVERYTHING, order, 20))).toEqual([10, 30, 40, 50]));
});

describe("lasso", () => {
  const shape: GridShape = {
    columns: 4,
    stepX: 110,
    stepY: 130,
    width: 100,
    height: 120,
    padding: 10,
    count: 10,
  };
  it("finds what it touches", () => {
    expect(tilesIn(shape, { x0: 15, y0: 15, x1: 20, y1: 20 })).toEqual([0]);
    expect(tilesIn(shape, { x0: 150, y0: 160, x1: 100, y1: 100 })).toEqual([0, 1, 4, 5]);
  });
  it("finds nothing in the gaps", () =>
    expect(tilesIn(shape, { x0: 112, y0: 0, x1: 118, y1: 500 })).toEqual([]));
  it("ends with the last tile", () =>
    expect(tilesIn(shape, { x0: 0, y0: 0, x1: 9999, y1: 9999 })).toHaveLength(10));
});
