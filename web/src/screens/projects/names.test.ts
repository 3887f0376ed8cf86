import { describe, expect, it } from "vitest";
import { nameFor } from "./names";

describe("names for projects", () => {
  it.each([
    ["/data/cells", "cells"],
    ["/data/cells/", "cells"],
    ["C:\\photos\\birds", "birds"],
    ["birds/a/1.jpg", "a"],
    ["birds/images", "birds"],
    ["birds/train/1.jpg", "birds"],
    ["1.jpg", "1"],
    ["", ""],
  ])("%s gives %s", (path, name) => expect(nameFor(path, [])).toBe(name));
  it("counts where one is taken", () => expect(nameFor("/x/cells", ["cells", "cells-2"])).toBe("cells-3"));
});
