import { describe, expect, it } from "vitest";
import type { CatalogueEntry, Run } from "~/api";
import {
  bodyOf,
  engineOf,
  fieldName,
  firstAim,
  firstModel,
  firstPlan,
  firstTask,
  hasBoxes,
  isFieldName,
  type Known,
  leads,
  methodsOf,
  nextName,
  problemOf,
  refines,
  settled,
  type Task,
  tallied,
} from "./plan";

const here = { folder: "/m", where: "models folder", bytes: 1, files: 1 } as const;

const entry = (name: string, tasks: Task[], more: Partial<CatalogueEntry> = {}) =>
  ({
    name,
    tasks,
    origin: "catalogue",
    installed: here,
    licence_due: false,
    needs_boxes: false,
    zero_shot: false,
    min_confidence: 0.4,
    ...more,
  }) as CatalogueEntry;

const models = [
  entry("cells-1", ["detection"], { origin: "workspace" }),
  entry("cells-2", ["classification", "detection"], { origin: "workspace" }),
  entry("rt-detr", ["detection"]),
  entry("owl", ["detection"], { zero_shot: true }),
  entry("mask-rcnn", ["instance_segmentation", "detection"], { installed: null }),
  entry("sam", ["prompted_segmentation"]),
  entry("vitpose", ["pose"], { needs_boxes: true }),
  entry("yolo-pose", ["pose"]),
];
const of = (name: string) => models.find((each) => each.name === name)!;

describe("methods", () => {
  it("are three for masks of objects and for poses", () => {
    expect(methodsOf("instance_segmentation")).toEqual(["one_stage", "two_stage", "existing"]);
    expect(methodsOf("pose")).toHaveLength(3);
    expect(methodsOf("detection")).toEqual([]);
  });

  it("say which model may come first and which second", () => {
    const names = (fits: (each: CatalogueEntry) => boolean) => models.filter(fits).map((each) => each.name);
    expect(names((each) => leads(each, "instance_segmentation", "one_stage"))).toEqual(["mask-rcnn"]);
    expect(names((each) => leads(each, "instance_segmentation", "existing"))).toEqual(["sam"]);
    expect(names((each) => leads(each, "pose", "one_stage"))).toEqual(["yolo-pose"]);
    expect(names((each) => refines(each, "pose"))).toEqual(["vitpose"]);
    expect(names((each) => leads(each, "pose", "two_stage"))).toContain("rt-detr");
  });

  it("begin with fields that have shapes", () => {
    expect(hasBoxes({ kinds: [{ name: "classification", count: 4 }] })).toBe(false);
    expect(hasBoxes({ kinds: [{ name: "polygon", count: 1 }] })).toBe(true);
    expect(hasBoxes({ kinds: [{ name: "box", count: 0 }] })).toBe(false);
  });
});

describe("the model to begin with", () => {
  it("is the workspace's newest, else one that is here", () => {
    expect(firstModel(models, (each) => leads(each as CatalogueEntry, "detection", "one_stage"))).toBe(
      "cells-2",
    );
    expect(firstModel(models, (each) => leads(each, "instance_segmentation", "one_stage"))).toBe("");
    expect(firstTask(models)).toBe("detection");
    expect(firstTask([])).toBe("detection");
  });

  it("changes with the task and the method, and stays where it fits", () => {
    const plan = firstPlan(models, null);
    expect(plan.model).toBe("cells-2");
    expect(settled({ ...plan, task: "classification" }, models).model).toBe("cells-2");
    const two = settled({ ...plan, task: "instance_segmentation", method: "two_stage" }, models);
    expect([two.model, two.refiner]).toEqual(["cells-2", "sam"]);
    const given = settled({ ...two, method: "existing" }, models);
    expect([given.model, given.refiner]).toEqual(["sam", ""]);
    expect(settled({ ...given, task: "detection" }, models).method).toBe("one_stage");
  });

  it("is that of the run that it shall be like", () => {
    const run = {
      task: "detection",
      method: "one_stage",
      model: "owl",
      refiner: "",
      boxes_field: "",
      classes: ["cat"],
      prompts: [{ text: "a tabby", class_name: "cat" }],
      label_map: {},
      min_confidence: 0.2,
      masks: "",
    } as unknown as Run;
    const plan = firstPlan(models, run);
    expect(plan).toMatchObject({ model: "owl", confidence: 0.2, map: null, words: { classes: ["cat"] } });
    expect(bodyOf(plan, of("owl"), {}).prompts).toEqual(run.prompts);
  });
});

describe("what is lacking", () => {
  const known = (more: Partial<Known> = {}): Known => ({
    card: of("cells-2"),
    unknown: "",
    map: { cell: "cell" },
    images: 3,
    fieldProblem: "",
    ...more,
  });
  const plan = firstPlan(models, null);

  it("is nothing where all is chosen", () => {
    expect(problemOf(plan, known())).toBe("");
  });

  it("is told in the order of the form", () => {
    expect(problemOf(plan, known({ images: 0, unknown: "x" }))).toContain("No image");
    expect(problemOf({ ...plan, model: "timm:" }, known({ card: undefined }))).toBe("Choose a model.");
    expect(problemOf(plan, known({ unknown: "There is no such model" }))).toBe("There is no such model");
    expect(problemOf({ ...plan, model: "owl" }, known({ card: of("owl") }))).toContain("at least one class");
    expect(problemOf(plan, known({ map: { cell: "" } }))).toContain("label map");
    expect(problemOf({ ...plan, chosen: ["a"] }, known({ map: { a: "", b: "b" } }))).toContain("label map");
    expect(problemOf(plan, known({ fieldProblem: "taken" }))).toBe("taken");
  });

  it("may be a second model, its files, a field, a folder", () => {
    const two = settled({ ...plan, task: "instance_segmentation", method: "two_stage" }, models);
    expect(problemOf(two, known())).toContain("second");
    expect(problemOf(two, known({ second: { ...of("sam"), installed: null } }))).toContain("fetch");
    expect(problemOf(two, known({ second: of("sam") }))).toBe("");
    const masks = { ...two, inFolder: true, folder: " " };
    expect(problemOf(masks, known({ second: of("sam") }))).toContain("folder");
    const given = settled({ ...two, method: "existing" }, models);
    expect(problemOf(given, known({ card: of("sam"), map: {} }))).toContain("field");
    expect(problemOf({ ...given, boxesField: "auto" }, known({ card: of("sam"), map: {} }))).toBe("");
  });
});

describe("over the wire", () => {
  it("goes what the method needs", () => {
    const plan = settled(
      { ...firstPlan(models, null), task: "instance_segmentation", method: "two_stage" },
      models,
    );
    const body = bodyOf({ ...plan, inFolder: true, folder: "/masks" }, of("cells-2"), { a: "A" });
    expect(body).toMatchObject({
      task: "instance_segmentation",
      refiner: "sam",
      boxes_field: "",
      label_map: { a: "A" },
      min_confidence: 0.4,
      masks: "/masks",
    });
    const given = bodyOf(
      { ...settled({ ...plan, method: "existing" }, models), boxesField: "auto" },
      of("sam"),
      {},
    );
    expect(given).toMatchObject({ model: "sam", refiner: "", boxes_field: "auto", masks: "" });
  });
});

describe("the engine", () => {
  it("is named with its reason, or the sentence stands that it is being chosen", () => {
    expect(engineOf("onnx: 1.6 times as fast as torch")).toEqual({
      text: "computed by onnx",
      why: "1.6 times as fast as torch",
    });
    expect(engineOf("Measuring once which engine computes d-fine-s fastest.")?.text).toContain("Measuring");
    expect(engineOf("")).toBeUndefined();
  });
});

describe("the tally", () => {
  it("says what was mended or left out", () => {
    expect(tallied({ clipped: 3, degenerate: 1, empty: 0, odd_one: 2 }).map((each) => each.text)).toEqual([
      "3 labels clipped",
      "1 label without area dropped",
      "2 labels odd one",
    ]);
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
