import { describe, expect, it } from "vitest";
import { byName, type Sorting, sortBy, sorted } from "./table";

const row = (class_name: string, current: number, mean_confidence: number | null) => ({
  class_name,
  current,
  mean_confidence,
});
const rows = [row("cell 10", 3, 0.5), row("cell 2", 9, null), row("Apple", 3, 0.9)];
const names = (sorting: Sorting, text = "") => sorted(rows, sorting, text).map((each) => each.class_name);

describe("the class table", () => {
  it("is sorted by name with numbers as numbers, and by numbers with names where they are alike", () => {
    expect(names({ by: "name", down: false })).toEqual(["Apple", "cell 2", "cell 10"]);
    expect(names({ by: "count", down: true })).toEqual(["cell 2", "Apple", "cell 10"]);
    expect(names({ by: "mean", down: true })).toEqual(["Apple", "cell 10", "cell 2"]);
    expect(names({ by: "mean", down: false })).toEqual(["cell 2", "cell 10", "Apple"]);
  });

  it("has its promoted labels by name too", () => {
    expect(byName([{ name: "class 10" }, { name: "class 9" }]).map((each) => each.name)).toEqual([
      "class 9",
      "class 10",
    ]);
  });

  it("shows the rows that somebody looks for", () => {
    expect(names({ by: "name", down: false }, " CELL")).toEqual(["cell 2", "cell 10"]);
  });

  it("turns around at the second click", () => {
    const first = sortBy({ by: "name", down: false }, "count");
    expect(first).toEqual({ by: "count", down: true });
    expect(sortBy(first, "count")).toEqual({ by: "count", down: false });
    expect(sortBy(first, "name")).toEqual({ by: "name", down: false });
  });
});
