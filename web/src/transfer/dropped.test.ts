import { describe, expect, it } from "vitest";
import { chosenFiles, parts, tidy } from "./dropped";

const file = (name: string, size = 10) => ({ name, size, webkitRelativePath: "" }) as File;
const dropped = (path: string, size = 10) => ({ file: file(path, size), path });

describe("dropped files", () => {
  it("leaves hidden files out, in folders too", () => {
    const paths = ["a.jpg", ".DS_Store", "x/.git/config", "x/b.jpg", "__MACOSX/x/b.jpg", "x/Thumbs.db"];
    expect(tidy(paths.map((path) => dropped(path))).map((each) => each.path)).toEqual(["a.jpg", "x/b.jpg"]);
  });
  it("keeps one of each path", () => expect(tidy([dropped("a.jpg"), dropped("a.jpg")])).toHaveLength(1));
  it("names chosen files by their names", () => expect(chosenFiles([file("a.jpg")])[0]?.path).toBe("a.jpg"));
});

describe("parts of an upload", () => {
  it("are neither too many files nor too many bytes", () => {
    expect(
      parts(
        [1, 2, 3, 4, 5].map((i) => dropped(`${i}`)),
        2,
      ).map((each) => each.length),
    ).toEqual([2, 2, 1]);
    expect(
      parts(
        [60, 60, 10, 200, 10].map((size, i) => dropped(`${i}`, size)),
        9,
        100,
      ).map((each) => each.length),
    ).toEqual([1, 2, 1, 1]);
  });
  it("are none for nothing", () => expect(parts([])).toEqual([]));
});
