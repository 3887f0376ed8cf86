import { describe, expect, it } from "vitest";
import { ALL_IMAGES } from "~/api/image-query";
import { readView, targetOf, writeView } from "./view";

describe("the address", () => {
  it("is empty for everything", () => {
    expect(
      writeView({ query: { ...ALL_IMAGES }, sort: "id", selection: { all: false, ids: new Set() } }),
    ).toBe("");
    expect(readView("")).toMatchObject({ text: "", sort: "id" });
  });

  it("holds filter, order and selection", () => {
    const text = writeView({
      query: { ...ALL_IMAGES, splits: ["train"], text: "a b" },
      sort: "-name",
      selection: { all: false, ids: new Set([4, 5, 6]) },
    });
    const view = readView(text);
    expect(view.query).toMatchObject({ splits: ["train"], text: "a b" });
    expect(view.sort).toBe("-name");
    expect(targetOf(view)).toEqual({ query: "", ids: [4, 5, 6] });
  });

  it("leaves alone what else stands there", () =>
    expect(writeView({ sort: "name" }, "q=x&label=7")).toBe("q=x&label=7&sort=name"));

  it("orders by confidence only where there is a field", () => {
    expect(readView("sort=confidence").sort).toBe("id");
    expect(readView("q=field%3Da&sort=confidence").sort).toBe("confidence");
  });

  it("targets the filter when all or none are selected", () => {
    expect(targetOf(readView("q=split%3Dval&sel=all"))).toEqual({ query: "split=val" });
    expect(targetOf(readView("q=split%3Dval"))).toEqual({ query: "split=val" });
  });
});
