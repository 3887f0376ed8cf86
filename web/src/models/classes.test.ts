import { describe, expect, it } from "vitest";
import { counted, firstMap, outputNames, promptsOf, splitList, wantedOf } from "./classes";

describe("pasted lists", () => {
  it("are split at commas, semicolons, tabs and lines; each name once", () => {
    expect(splitList("a, b;c\r\nd\te\n\n b ,")).toEqual(["a", "b", "c", "d", "e"]);
    expect(splitList(" traffic light \n stop sign")).toEqual(["traffic light", "stop sign"]);
    expect(splitList(" , ")).toEqual([]);
  });

  it("keeps the places of a model's outputs", () => {
    expect(outputNames("tench, Tinca tinca\r\ncrane\n\n a;b\ncrane\n")).toEqual([
      "tench, Tinca tinca",
      "crane",
      "a;b",
      "crane",
    ]);
    expect(outputNames("a, b;a\tc\n")).toEqual(["a", "b", "a", "c"]);
    expect(outputNames(" \n ")).toEqual([]);
  });
});

describe("prompts", () => {
  it("are none where each class is its own", () => {
    expect(promptsOf({ classes: ["cat", "dog"], texts: { cat: [] }, negative: [] })).toEqual([]);
  });

  it("stand for their classes; those that leave out have none", () => {
    const wanted = {
      classes: ["cat", "dog"],
      texts: { cat: ["a tabby", "a kitten"], gone: ["x"] },
      negative: ["a toy"],
    };
    const sent = [
      { text: "a tabby", class_name: "cat" },
      { text: "a kitten", class_name: "cat" },
      { text: "dog", class_name: "dog" },
      { text: "a toy", class_name: "" },
    ];
    expect(promptsOf(wanted)).toEqual(sent);
    expect(wantedOf([], sent)).toEqual({
      classes: ["cat", "dog"],
      texts: { cat: ["a tabby", "a kitten"] },
      negative: ["a toy"],
    });
  });

  it("say a text once", () => {
    expect(promptsOf({ classes: ["a", "b"], texts: { a: ["x"], b: ["x", "y"] }, negative: ["y"] })).toEqual([
      { text: "x", class_name: "a" },
      { text: "y", class_name: "b" },
    ]);
  });
});

describe("a label map", () => {
  it("begins as it was kept, even where all is ignored", () => {
    expect(firstMap({ kept: true, classes: { cat: "" } })).toEqual({ cat: "" });
  });

  it("begins with what fits by name; where nothing does, classes keep their names", () => {
    expect(firstMap({ kept: false, classes: { cat: "Cat", dog: "" } })).toEqual({ cat: "Cat", dog: "" });
    expect(firstMap({ kept: false, classes: { cat: "", dog: "" } })).toEqual({ cat: "cat", dog: "dog" });
  });

  it("counts those that are chosen", () => {
    const map = { cat: "Cat", dog: "", cow: "Cow" };
    expect(counted(map)).toEqual({ used: 2, ignored: 1 });
    expect(counted(map, ["dog"])).toEqual({ used: 0, ignored: 1 });
  });
});
