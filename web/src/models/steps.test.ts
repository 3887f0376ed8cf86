import { describe, expect, it } from "vitest";
import { stepsFrom, stepsTo } from "./steps";

describe("steps around a model behind a URL", () => {
  it("come back as they were", () => {
    const pre = [
      { step: "resize", width: 640, height: 480 },
      { step: "bands", select: [3, 2, 1] },
      { step: "normalise", scale: 0.004, mean: [0.5], std: [0.2, 0.2, 0.3] },
    ];
    expect(stepsTo(stepsFrom(pre), "pre")).toEqual(pre);
    const post = [{ step: "softmax" }, { step: "threshold", value: 0.3 }];
    expect(stepsTo(stepsFrom(post), "post")).toEqual(post);
    expect(stepsFrom(undefined)).toEqual([]);
  });

  it("take what is usual where nothing is typed, if there is a usual", () => {
    expect(stepsTo([{ step: "normalise", said: {} }], "pre")).toEqual([
      { step: "normalise", scale: 1, mean: [0], std: [1] },
    ]);
    expect(() => stepsTo([{ step: "resize", said: { width: "640" } }], "pre")).toThrow(
      "Resize: height is a whole",
    );
  });

  it("say which number is none", () => {
    expect(() => stepsTo([{ step: "bands", said: { select: "3, x" } }], "pre")).toThrow(
      "Choose bands: bands is",
    );
    expect(() => stepsTo([{ step: "resize", said: { width: "1.5", height: "2" } }], "pre")).toThrow(
      "whole number",
    );
    expect(() => stepsTo([{ step: "threshold", said: { value: "1, 2" } }], "post")).toThrow("such as 0.5");
  });
});
