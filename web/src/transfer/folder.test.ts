import { describe, expect, it } from "vitest";
import { fitting, splitPath } from "./folder";

describe("a typed path", () => {
  it.each([
    ["/data/ce", "/data/", "ce"],
    ["/data/", "/data/", ""],
    ["C:\\data\\ce", "C:\\data\\", "ce"],
    ["ce", "", "ce"],
  ])("%s is %s and %s", (path, folder, part) => expect(splitPath(path)).toEqual([folder, part]));

  it("shows what begins with its last part before what contains it", () => {
    const entries = ["my cells", "Cells", "other", "cells 2"].map((name) => ({ name }));
    expect(fitting(entries, "cel").map((each) => each.name)).toEqual(["Cells", "cells 2", "my cells"]);
    expect(fitting(entries, "")).toHaveLength(4);
  });
});
