import { describe, expect, it } from "vitest";
import { askedBy, params, readView, START, selection, writeView } from "./filter";

describe("the view in the address", () => {
  it("comes back as it was written", () => {
    const view = {
      ...START,
      tab: "approval" as const,
      look: "images" as const,
      order: "confidence" as const,
      pile: "rejected" as const,
      className: "white, large",
      min: 0.25,
      max: 0.9,
      query: "split=train",
    };
    expect(readView(writeView(view))).toEqual(view);
    expect(writeView(START)).toBe("");
    expect(readView("")).toEqual(START);
  });

  it("takes nonsense as not said", () => {
    expect(readView("tab=x&look=y&order=z&min=-1&max=7&show=q")).toEqual(START);
    expect(readView("min=0.8&max=0.2")).toMatchObject({ min: 0.8, max: 0.8 });
  });
});

describe("what is asked for", () => {
  it("has no range where the slider is open: labels without a confidence belong to it", () => {
    expect(params(askedBy(START))).toEqual({
      min: null,
      max: null,
      class: [],
      state: ["proposed"],
      query: "",
    });
    expect(selection(askedBy(START))).toEqual({ classes: [], states: ["proposed"], query: "" });
  });

  it("is the same for a page and for a bulk verdict", () => {
    const asked = askedBy({ ...START, min: 0.4, className: "a" });
    expect(params(asked)).toMatchObject({ min: 0.4, max: null, class: ["a"] });
    expect(selection(asked)).toEqual({ min: 0.4, classes: ["a"], states: ["proposed"], query: "" });
  });

  it("is all that was promoted, in the approval, whatever the slider says", () => {
    const asked = askedBy({ ...START, tab: "approval", min: 0.9, query: "tag=x" });
    expect(asked).toEqual({ min: null, max: null, className: null, state: "promoted", query: "" });
  });
});
