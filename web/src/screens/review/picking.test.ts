import { describe, expect, it } from "vitest";
import { click, lasso, NOTHING, placesIn, step } from "./picking";

const idAt = (place: number) => (place >= 0 && place < 20 ? 100 + place : undefined);
const plain = { shift: false, mod: false };
const ids = (picked: { ids: ReadonlySet<number> }) => [...picked.ids].sort((a, b) => a - b);

describe("clicks", () => {
  it("pick one, add and take away, and fill a range", () => {
    let picked = click(NOTHING, 3, plain, idAt);
    expect(ids(picked)).toEqual([103]);
    picked = click(picked, 6, { shift: true, mod: false }, idAt);
    expect(ids(picked)).toEqual([103, 104, 105, 106]);
    picked = click(picked, 2, { shift: true, mod: false }, idAt);
    expect(ids(picked)).toEqual([102, 103]);
    picked = click(picked, 9, { shift: false, mod: true }, idAt);
    picked = click(picked, 3, { shift: false, mod: true }, idAt);
    expect(ids(picked)).toEqual([102, 109]);
  });

  it("outside the grid change nothing", () => {
    const picked = click(NOTHING, 3, plain, idAt);
    expect(click(picked, 50, plain, idAt)).toBe(picked);
  });
});

describe("steps", () => {
  it("begin at either end and stay in the grid", () => {
    expect(step(NOTHING, 1, 20, false, idAt).cursor).toBe(0);
    expect(step(NOTHING, -1, 20, false, idAt).cursor).toBe(19);
    const first = click(NOTHING, 2, plain, idAt);
    expect(step(first, -6, 20, false, idAt).cursor).toBe(2);
    expect(step(first, 6, 20, false, idAt).cursor).toBe(8);
    expect(step(click(NOTHING, 16, plain, idAt), 6, 20, false, idAt).cursor).toBe(19);
    expect(step(first, 1, 0, false, idAt)).toBe(NOTHING);
  });

  it("with shift extend the range", () => {
    expect(ids(step(click(NOTHING, 2, plain, idAt), 2, 20, true, idAt))).toEqual([102, 103, 104]);
  });
});

describe("the lasso", () => {
  const shape = { columns: 4, width: 100, height: 100, count: 10 };
  it("takes the tiles that it touches, not the gaps", () => {
    expect(placesIn({ left: 50, top: 50, right: 150, bottom: 150 }, shape, 8)).toEqual([0, 1, 4, 5]);
    expect(placesIn({ left: 95, top: 10, right: 99, bottom: 20 }, shape, 8)).toEqual([]);
    expect(placesIn({ left: -500, top: 250, right: 5000, bottom: 9000 }, shape, 8)).toEqual([8, 9]);
  });

  it("adds to what was picked", () => {
    const picked = lasso(click(NOTHING, 19, plain, idAt), [1, 2], idAt);
    expect(ids(picked)).toEqual([101, 102, 119]);
    expect(picked.cursor).toBe(2);
  });
});
