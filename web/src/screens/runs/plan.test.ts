import { describe, expect, it } from "vitest";
import {
  chosenBy,
  fieldName,
  firstAim,
  firstTask,
  fitting,
  isFieldName,
  nextName,
  type Task,
  tasksOf,
} from "./plan";

const model = (name: string, ...tasks: Task[]) => ({ name, card: { tasks } });
const models = [model("a", "detection"), model("b", "classification", "detection"), model("c", "pose")];

describe("models that fit", () => {
  it("are those that do the task, the newest first", () => {
    expect(fitting(models, "detection").map((each) => each.name)).toEqual(["b", "a"]);
    expect(fitting(models, "instance_segmentation")).toEqual([]);
    expect(fitting(models, null)).toHaveLength(3);
  });

  it("say which tasks there are", () => {
    expect(tasksOf(models, [])).toEqual(["detection", "classification", "pose"]);
    expect(tasksOf([], ["timm"])).toEqual(["classification"]);
    expect(firstTask(models, [])).toBe("pose");
    expect(firstTask([], [])).toBeNull();
  });
});

describe("a run like another", () => {
  it("begins with its model", () => {
    expect(chosenBy("cells", ["cells"], ["timm"])).toEqual({ model: "cells", rest: "" });
    expect(chosenBy("timm:resnet18?weights=random", ["cells"], ["timm"])).toEqual({
      model: "timm:",
      rest: "resnet18?weights=random",
    });
    expect(chosenBy("gone", ["cells"], ["timm"])).toBeNull();
  });
});

describe("names", () => {
  it("are such that a field may have them", () => {
    expect(fieldName("7 cells: run #1")).toBe("cells_run_1");
    expect(fieldName("...")).toBe("auto");
    expect(fieldName("x".repeat(80))).toHaveLength(56);
    expect(["a", "é_1.b-2", "x".repeat(64)].every(isFieldName)).toBe(true);
    expect(["", "1a", "_a", "a b", "x".repeat(65)].some(isFieldName)).toBe(false);
  });

  it("are the next free ones", () => {
    expect(nextName("cells", ["cells_1", "cells_2", "cells_4"])).toBe("cells_3");
  });
});

describe("the target", () => {
  it("begins with the narrowest that is meant", () => {
    expect([firstAim(true, true), firstAim(false, true), firstAim(false, false)]).toEqual([
      "selection",
      "filter",
      "all",
    ]);
  });
});
