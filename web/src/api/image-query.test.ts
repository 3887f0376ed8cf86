import { describe, expect, it } from "vitest";
import { ALL_IMAGES, countFilters, formatQuery, parseQuery, shellQuote, shellWords } from "./image-query";

describe("shell words", () => {
  it.each([
    ["a  b", ["a", "b"]],
    [`'text~two words' b`, ["text~two words", "b"]],
    [`"a \\" b"`, ['a " b']],
    [`tag='it'"'"'s'`, ["tag=it's"]],
    ["", []],
    [`''`, [""]],
    ["a\\ b", ["a b"]],
  ])("splits %s", (text, words) => expect(shellWords(text)).toEqual(words));

  it.each(["plain", "two words", "it's", 'say "no"', "a\\b", "grün", "#1", "$x"])(
    "quotes %s back and forth",
    (word) => expect(shellWords(shellQuote(word))).toEqual([word]),
  );
});

describe("queries", () => {
  it("comes back as it went", () => {
    const query = {
      ...ALL_IMAGES,
      text: "smear 0 = 1",
      splits: ["train", "val"],
      tags: ["night time"],
      withoutTags: ["blurry"],
      field: "auto_1",
      classes: ["RBC", "white cell"],
      low: 0.3,
      high: null,
      states: ["proposed" as const, "promoted" as const],
      withLabels: ["ground_truth"],
      file: "missing" as const,
      ids: [1, 2, 30],
    };
    expect(parseQuery(formatQuery(query))).toEqual(query);
  });

  it("reads what the documentation shows", () => {
    const query = parseQuery(
      "text~part field=yolo_run class=RBC,WBC confidence=0.3..0.7 state=proposed -has=ground_truth",
    );
    expect(query).toMatchObject({
      text: "part",
      field: "yolo_run",
      classes: ["RBC", "WBC"],
      low: 0.3,
      high: 0.7,
    });
    expect(query).toMatchObject({ states: ["proposed"], withoutLabels: ["ground_truth"] });
  });

  it("takes a bare word for text", () => expect(parseQuery("smear").text).toBe("smear"));

  it("is empty when nothing is asked", () => {
    expect(formatQuery(ALL_IMAGES)).toBe("");
    expect(parseQuery("")).toEqual(ALL_IMAGES);
    expect(countFilters(ALL_IMAGES)).toBe(0);
  });

  it("never asks for classes without a field", () => {
    expect(formatQuery({ ...ALL_IMAGES, classes: ["a"], low: 0.5 })).toBe("");
  });

  it("does not write the rounding of floats", () => {
    expect(formatQuery({ ...ALL_IMAGES, field: "f", low: 0.1 + 0.2, high: 1 })).toBe(
      "field=f confidence=0.3..1",
    );
  });
});
