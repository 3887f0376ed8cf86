import { describe, expect, it } from "vitest";
import { formOf, lackingOf, NEW_REMOTE, specOf } from "./remote-form";

const PLAIN = { ...NEW_REMOTE, contract: "plain", url: "http://h:1" };

describe("the form of a model behind a URL", () => {
  it("sends what it holds, and a secret only if one was typed", () => {
    const spec = specOf({ ...PLAIN, url: " http://host:1 ", classes: "cat, dog", more: '{"header": "Key"}' });
    expect(spec).toMatchObject({
      url: "http://host:1",
      classes: ["cat", "dog"],
      header: "Key",
      timeout_s: 60,
    });
    expect("secret" in spec).toBe(false);
    expect(specOf({ ...NEW_REMOTE, secret: "Bearer x" }).secret).toBe("Bearer x");
  });

  it("sends what is usual where a number was taken out, and what the JSON says in place of a field", () => {
    expect(specOf({ ...PLAIN, timeout: "", retries: 0 })).toMatchObject({ timeout_s: 60, retries: 0 });
    expect(specOf({ ...PLAIN, more: '{"retries": 7}' }).retries).toBe(7);
  });

  it("says what is wrong with the further settings and the steps", () => {
    expect(() => specOf({ ...NEW_REMOTE, more: "[1]" })).toThrow("no JSON object");
    expect(() => specOf({ ...NEW_REMOTE, more: "{" })).toThrow("no JSON object");
    expect(() => specOf({ ...PLAIN, pre: [{ step: "resize", said: {} }] })).toThrow("Resize: width");
  });

  it("comes back as it was", () => {
    const spec = {
      url: "http://h:1",
      contract: "plain",
      tasks: ["pose"],
      classes: ["a"],
      retries: 1,
      pre: [{ step: "bands", select: [0, 1] }],
      rename: { a: "b" },
      keypoints: [],
      header: "Authorization",
      has_secret: true,
    };
    const form = formOf(spec);
    expect(JSON.parse(form.more)).toEqual({ rename: { a: "b" } });
    const again = specOf(form);
    expect(again).toMatchObject({ url: "http://h:1", contract: "plain", tasks: ["pose"], retries: 1 });
    expect(again).toMatchObject({ pre: spec.pre, rename: { a: "b" } });
    expect("has_secret" in again).toBe(false);
  });

  it("leaves classes by number as they are", () => {
    const classes = { 1: "cat", 7: "dog" };
    expect(specOf(formOf({ ...PLAIN, classes })).classes).toEqual(classes);
  });

  it("moves no class: not for a comma in a name, not for a name that is there twice", () => {
    const kept = (classes: string[]) => specOf(formOf({ ...PLAIN, classes })).classes;
    const lists = [
      ["tench, Tinca tinca", "crane", "a; b", "crane"],
      ["tench, Tinca tinca"],
      ["", "cat", ""],
      [" cat", "dog"],
    ];
    for (const classes of lists) expect(kept(classes)).toEqual(classes);
    const form = formOf({ ...PLAIN, classes: lists[0] });
    expect(specOf({ ...form, classes: `${form.classes}\nowl\n` }).classes).toEqual([...lists[0]!, "owl"]);
    expect(specOf({ ...PLAIN, classes: "crane, cat,crane\n" }).classes).toEqual(["crane", "cat", "crane"]);
  });

  it("says of a setting that was taken out of the JSON that it is as usual again", () => {
    const was = {
      ...PLAIN,
      classes: { 3: "cat" },
      allow_link_local: true,
      ca_file: "/a.pem",
      rename: { a: "b" },
      keypoints: ["nose"],
      header: "Key",
      max_response_mb: 20,
      label_config: "<View/>",
    };
    const usual = { allow_link_local: false, ca_file: "", rename: {}, keypoints: [], label_config: "" };
    expect(specOf({ ...formOf(was), more: "" }, was)).toMatchObject({
      ...usual,
      classes: [],
      header: "Authorization",
      max_response_mb: 64,
    });
    expect(specOf({ ...formOf(was), more: '{"ca_file": "/b.pem"}' }, was)).toMatchObject({
      ...usual,
      ca_file: "/b.pem",
    });
    expect(specOf(formOf(was), was)).toMatchObject({
      rename: { a: "b" },
      classes: { 3: "cat" },
      header: "Key",
    });
    const bare = { url: "http://h:1", contract: "plain", ca_file: "" };
    expect("ca_file" in specOf(formOf(bare), bare)).toBe(false);
  });

  it("says what is lacking", () => {
    expect(lackingOf("", PLAIN)).toContain("name");
    expect(lackingOf("a", { ...PLAIN, url: "host:1" })).toContain("http://");
    expect(lackingOf("a", PLAIN)).toContain("tasks");
    expect(lackingOf("a", { ...PLAIN, tasks: ["pose"] })).toBe("");
    expect(lackingOf("a", { ...PLAIN, contract: "countersign" })).toBe("");
  });
});
