import { expect, it } from "vitest";
import { recentFirst } from "./recent";

const project = (name: string, made: string, changed: string | null) => ({
  name,
  created_at: made,
  last_change: changed,
});

it("puts the project that moved last first", () => {
  const found = recentFirst([
    project("old", "2026-01-01T00:00:00Z", null),
    project("busy", "2025-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    project("b", "2026-02-01T00:00:00Z", null),
    project("a", "2026-02-01T00:00:00Z", null),
  ]);
  expect(found.map((each) => each.name)).toEqual(["busy", "a", "b", "old"]);
});
