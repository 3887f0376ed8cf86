import { describe, expect, it } from "vitest";
import { GAP, gridShape, moveCursor, PADDING, rowsOf } from "./layout";

describe("the grid", () => {
  it.each([320, 777, 1000, 1328, 2560])("fills %d pixels without a rest that shows", (width) => {
    const shape = gridShape(width, 160, 1000);
    const used = 2 * PADDING + shape.columns * shape.width + (shape.columns - 1) * GAP;
    expect(used).toBeLessThanOrEqual(width);
    expect(width - used).toBeLessThan(shape.columns);
    expect(shape.width).toBeGreaterThanOrEqual(160);
  });

  it("always has a column", () => expect(gridShape(50, 400, 5).columns).toBe(1));
  it("counts rows", () => expect(rowsOf({ ...gridShape(1000, 160, 13), columns: 5 })).toBe(3));
});

describe("the cursor", () => {
  const shape = { ...gridShape(1000, 160, 13), columns: 5 };
  const move = (key: string, at: number) => moveCursor(key, at, shape, 3);
  it("goes its ways", () => {
    expect(move("ArrowRight", 0)).toBe(1);
    expect(move("ArrowLeft", 0)).toBe(0);
    expect(move("ArrowDown", 1)).toBe(6);
    expect(move("ArrowUp", 1)).toBe(1);
    expect(move("End", 2)).toBe(12);
    expect(move("Home", 12)).toBe(0);
    expect(move("PageDown", 1)).toBe(11);
    expect(move("PageUp", 7)).toBe(2);
    expect(move("x", 1)).toBeNull();
  });
  it("reaches a last row that is not full", () => {
    expect(move("ArrowDown", 9)).toBe(12);
    expect(move("ArrowDown", 12)).toBe(12);
  });
});
