import { describe, expect, it } from "vitest";
import { formOf, NEW_REMOTE, specOf } from "./remote";

describe("the form of a model behind a URL", () => {
  it("sends what it holds, and a secret only if one was typed", () => {
    const spec = specOf({
      ...NEW_REMOTE,
      url: " http://host:1 ",
      classes: "cat, dog",
      more: '{"timeout_s": 5}',
    });
    expect(spec).toMatchObject({ url: "http://host:1", classes: ["cat", "dog"], timeout_s: 5 });
    expect("secret" in spec).toBe(false);
    expect(specOf({ ...NEW_REMOTE, secret: "Bearer x" }).secret).toBe("Bearer x");
  });

  it("says what is wrong with the further settings", () => {
    expect(() => specOf({ ...NEW_REMOTE, more: "[1]" })).toThrow("no JSON object");
    expect(() => specOf({ ...NEW_REMOTE, more: "{" })).toThrow("no JSON object");
  });

  it("comes back as it was", () => {
    const spec = {
      url: "http://h:1",
      contract: "plain",
      tasks: ["pose"],
      classes: ["a"],
      retries: 1,
      has_secret: true,
    };
    const again = specOf(formOf(spec));
    expect(again).toMatchObject({ url: "http://h:1", contract: "plain", tasks: ["pose"], retries: 1 });
    expect("has_secret" in again).toBe(false);
  });
});
