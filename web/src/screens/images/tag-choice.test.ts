import { expect, it } from "vitest";
import { type Changes, choices, turn } from "./tag-choice";

const counts = new Map([
  ["everywhere", 3],
  ["here and there", 1],
]);
const list = (changes: Changes) => choices(["everywhere", "nowhere"], counts, 3, changes);
const named = (changes: Changes, name: string) => list(changes).find((each) => each.name === name)!;
const clicks = (name: string, times: number) => {
  let changes: Changes = new Map();
  const seen: string[] = [];
  for (let i = 0; i < times; i += 1) {
    changes = turn(changes, named(changes, name));
    seen.push(named(changes, name).next);
  }
  return { seen, changes };
};

it("says how tags are", () => {
  expect(list(new Map()).map((each) => [each.name, each.next])).toEqual([
    ["everywhere", "all"],
    ["nowhere", "none"],
    ["here and there", "some"],
  ]);
});

it("turns a tag on and off again without leaving a change behind", () => {
  expect(clicks("nowhere", 2).seen).toEqual(["all", "none"]);
  expect(clicks("nowhere", 2).changes.size).toBe(0);
  expect(clicks("everywhere", 1).changes).toEqual(new Map([["everywhere", false]]));
  expect(clicks("everywhere", 2).changes.size).toBe(0);
});

it("comes back to some", () => expect(clicks("here and there", 3).seen).toEqual(["all", "none", "some"]));

it("lists new tags", () => expect(named(new Map([["new", true]]), "new").next).toBe("all"));
