import { describe, expect, it } from "vitest";
import type { ModelCard } from "~/api";
import { details, fits, scoreName, scores, taught } from "./shown";

const card = {
  family: "trained",
  tasks: ["detection"],
  classes: ["disc", "rod"],
  scores: { held_out_ap50: 0.81 },
  details: {
    data: { trained_on: [{}, {}], held_out: [{}], labels: 40 },
    settings: { epochs: 3, backbone: "resnet18", empty: "" },
    view: [320, 240],
    deep: [{ a: 1 }],
  },
} as unknown as ModelCard;

describe("cards", () => {
  it("say scores in words", () => {
    expect(scores(card)).toEqual([{ name: "AP50, held out", value: 0.81 }]);
    expect(scoreName("my_number")).toBe("my number");
  });

  it("say what a model learned from, if they do", () => {
    expect(taught(card)).toEqual({ images: 2, heldOut: 1, labels: 40 });
    expect(taught({ details: {} })).toBeNull();
  });

  it("list plain facts and leave out what is nested", () => {
    expect(details(card)).toEqual([
      ["settings epochs", "3"],
      ["settings backbone", "resnet18"],
      ["view", "320, 240"],
    ]);
  });

  it("are found by name, task and class", () => {
    const model = { name: "cells-1", card };
    expect(fits(model, "cells detection")).toBe(true);
    expect(fits(model, "rod")).toBe(true);
    expect(fits(model, "pose")).toBe(false);
    expect(fits(model, "")).toBe(true);
  });
});
