import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "~/api";
import {
  downloadSize,
  lacking,
  licenceName,
  lines,
  NO_FILTER,
  passes,
  pick,
  placeOf,
  published,
  sorted,
  vocabularyOf,
} from "./catalogue";

const entry = (name: string, more: Partial<CatalogueEntry> = {}) =>
  ({
    name,
    family: "detector",
    tasks: ["detection"],
    zero_shot: false,
    licences: [],
    licence_due: false,
    installed: null,
    description: "Finds things",
    author: "",
    hub_id: "",
    licence: "Apache-2.0",
    version: "1",
    size: "",
    ...more,
  }) as CatalogueEntry;

const here = { folder: "/m", where: "models folder", bytes: 1, files: 1 } as const;

describe("the size of a download", () => {
  it("is what is published, else about what the parameters take, else nothing", () => {
    expect(downloadSize({ download_bytes: 2_000_000, estimated_bytes: 0 })).toBe("2.0 MB");
    expect(downloadSize({ download_bytes: 0, estimated_bytes: 80_000_000 })).toBe("about 80.0 MB");
    expect(downloadSize({ download_bytes: 0, estimated_bytes: 0 })).toBe("");
  });
});

describe("the filter", () => {
  it("takes all where nothing is asked", () => {
    expect(passes(entry("a"), NO_FILTER)).toBe(true);
  });

  it("goes by task, vocabulary, licence and whether it is here", () => {
    const agpl = entry("a", { licences: ["AGPL-3.0"], zero_shot: true, installed: here });
    const plain = entry("b", { tasks: ["pose"] });
    const only = (filter: Partial<typeof NO_FILTER>) =>
      [agpl, plain].filter((each) => passes(each, { ...NO_FILTER, ...filter })).map((each) => each.name);
    expect(only({ task: "pose" })).toEqual(["b"]);
    expect(only({ vocabulary: "zero-shot" })).toEqual(["a"]);
    expect(only({ vocabulary: "fixed" })).toEqual(["b"]);
    expect(only({ licence: "restricted" })).toEqual(["a"]);
    expect(only({ licence: "permissive" })).toEqual(["b"]);
    expect(only({ installed: "here" })).toEqual(["a"]);
    expect(only({ installed: "missing" })).toEqual(["b"]);
  });

  it("finds all words, wherever they stand", () => {
    const model = entry("rt-detr-r18", { author: "Baidu" });
    expect(passes(model, { ...NO_FILTER, text: " R18  baidu detection" })).toBe(true);
    expect(passes(model, { ...NO_FILTER, text: "r18 pose" })).toBe(false);
  });
});

describe("a model's place", () => {
  it.each([
    ["rt-detr-v2-r18", "2", "r18", { line: "rt-detr", version: "2", size: "r18" }],
    ["rt-detr-r18-o365", "1", "r18", { line: "rt-detr", version: "1 · o365", size: "r18" }],
    ["d-fine-s", "1", "s", { line: "d-fine", version: "1", size: "s" }],
    ["dinov2-s", "2", "small", { line: "dino", version: "2", size: "small" }],
    ["yolo11n", "11", "n", { line: "yolo", version: "11", size: "n" }],
    ["yolov8x-world", "8", "x", { line: "yolo", version: "8 · world", size: "x" }],
    ["cells", "1", "", { line: "cells", version: "1", size: "only one" }],
  ])("%s", (name, version, size, place) => {
    expect(placeOf({ name, version, size })).toEqual(place);
  });

  it("puts those of one line together", () => {
    const found = lines([entry("d-fine-s", { size: "s" }), entry("cells"), entry("d-fine-m", { size: "m" })]);
    expect([...found].map(([line, all]) => [line, all.length])).toEqual([
      ["d-fine", 2],
      ["cells", 1],
    ]);
  });

  it("keeps the size when the version changes, and prefers what is here", () => {
    const models = [
      entry("rt-detr-r18", { size: "r18" }),
      entry("rt-detr-r50", { size: "r50", installed: here }),
      entry("rt-detr-v2-r18", { size: "r18", version: "2" }),
      entry("rt-detr-v2-r50", { size: "r50", version: "2" }),
    ];
    expect(pick(models, { line: "rt-detr", version: "2", size: "r50" })?.name).toBe("rt-detr-v2-r50");
    expect(pick(models, { line: "rt-detr" })?.name).toBe("rt-detr-r50");
    expect(pick(models, { line: "other" })).toBeUndefined();
  });
});

describe("the order", () => {
  const rated = (name: string, more: object) =>
    entry(name, { speed: 0, performance: 0, download_bytes: 0, estimated_bytes: 0, ...more });
  const all = [
    rated("asks", { tasks: ["questions"], speed: 3 }),
    rated("b10", { speed: 1, download_bytes: 50 }),
    rated("b9", { speed: 2, estimated_bytes: 20 }),
    rated("poses", { tasks: ["pose"] }),
  ];
  const names = (by: Parameters<typeof sorted>[1]) => sorted(all, by).map((each) => each.name);

  it("is by task, those of one as they came", () => {
    expect(names("task")).toEqual(["b10", "b9", "poses", "asks"]);
  });

  it("puts the best rating and the smallest size first, what is not known last", () => {
    expect(names("speed")).toEqual(["asks", "b9", "b10", "poses"]);
    expect(names("size")).toEqual(["b9", "b10", "poses", "asks"]);
  });

  it("counts numbers in names", () => {
    expect(names("name")).toEqual(["asks", "b9", "b10", "poses"]);
  });
});

describe("a card", () => {
  it("says what a model can name, and its licence as people call it", () => {
    expect(vocabularyOf({ zero_shot: true, classes: 0 })).toBe("zero-shot");
    expect(vocabularyOf({ zero_shot: false, classes: 1 })).toBe("1 class");
    expect(vocabularyOf({ zero_shot: false, classes: 0 })).toBe("");
    expect(licenceName("LicenseRef-Qwen-Research")).toBe("Qwen Research");
    expect(licenceName("MIT")).toBe("MIT");
  });

  it("says published numbers in words", () => {
    expect(published({ parameters: 20, coco_map: 46.5, my_score: 3 })).toEqual([
      { name: "parameters", value: "20 M" },
      { name: "mAP, COCO", value: "46.5 %" },
      { name: "my score", value: "3" },
    ]);
    expect(published({ parameters: 7200 })).toEqual([{ name: "parameters", value: "7.2 B" }]);
  });

  it("says what is lacking before it can be used", () => {
    expect(lacking(entry("a"))).toContain("fetch them first");
    expect(lacking(entry("a", { installed: here, licence_due: true }))).toContain("licence");
    expect(lacking(entry("a", { installed: here }))).toBe("");
  });
});
