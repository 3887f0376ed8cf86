import { expect, test, vi } from "vitest";
import { History } from "./history";
import { type EditorLabel, makeLabel } from "./model";
import { type ChangeSet, LabelStore } from "./store";

const box = (x: number) => ({ type: "box" as const, x, y: 0, width: 10, height: 10 });
const label = (key: string, x = 0): EditorLabel =>
  makeLabel({ imageId: 1, field: "ground_truth", className: "cell", geometry: box(x) }, key);

test("an observer gets one change set for one step", () => {
  const store = new LabelStore();
  const seen: ChangeSet[] = [];
  store.observe((changes) => seen.push(changes));
  store.apply("user", { put: [label("a"), label("b")] });
  const a = store.get("a")!;
  store.apply("user", { put: [{ ...a, className: "dot" }], remove: ["b"] });
  expect(seen[1]!.updated[0]).toMatchObject({ before: { className: "cell" }, after: { className: "dot" } });
  expect(seen[1]!.deleted.map((each) => each.key)).toEqual(["b"]);
  store.apply("user", { put: [store.get("a")!], remove: ["never was"] });
  expect(seen).toHaveLength(2);
});

test("the list is the same array until something changes", () => {
  const store = new LabelStore();
  store.apply("user", { put: [label("a")] });
  expect(store.all()).toBe(store.all());
});

test("undo and redo take every step back and forth", () => {
  const store = new LabelStore();
  const history = new History(store);
  store.apply("user", { put: [label("a")] });
  for (let x = 1; x <= 500; x += 1) store.apply("user", { put: [{ ...store.get("a")!, geometry: box(x) }] });
  store.apply("user", { remove: ["a"] });
  expect(store.size).toBe(0);
  while (history.canUndo) history.undo();
  expect(store.size).toBe(0);
  history.redo();
  expect(store.get("a")!.geometry).toEqual(box(0));
  while (history.canRedo) history.redo();
  expect(store.size).toBe(0);
  history.undo();
  expect(store.get("a")!.geometry).toEqual(box(500));
});

test("a new step ends what could be redone", () => {
  const store = new LabelStore();
  const history = new History(store);
  store.apply("user", { put: [label("a")] });
  history.undo();
  store.apply("user", { put: [label("b")] });
  expect(history.canRedo).toBe(false);
});

test("what the server says is no step, and undo keeps what it said", () => {
  const store = new LabelStore();
  const history = new History(store);
  store.apply("user", { put: [label("a")] });
  store.apply("user", { put: [{ ...store.get("a")!, geometry: box(5) }] });
  store.apply("server", { put: [{ ...store.get("a")!, id: 7, version: 3, className: "renamed" }] });
  history.undo();
  expect(store.get("a")).toMatchObject({ id: 7, version: 3, className: "renamed", geometry: box(0) });
});

test("undo of a deletion makes the label again, without the id that it had", () => {
  const store = new LabelStore();
  const history = new History(store);
  store.apply("server", { put: [{ ...label("l7"), id: 7, version: 1 }] });
  store.apply("user", { remove: ["l7"] });
  expect(history.undo()).toEqual(["l7"]);
  expect(store.get("l7")).toMatchObject({ id: null, version: null });
});

test("undo of a change to a label that somebody else deleted does nothing", () => {
  const store = new LabelStore();
  const history = new History(store);
  store.apply("server", { put: [{ ...label("l7"), id: 7, version: 1 }] });
  store.apply("user", { put: [{ ...store.get("l7")!, className: "dot" }] });
  store.apply("server", { remove: ["l7"] });
  expect(history.undo()).toEqual([]);
  expect(store.size).toBe(0);
});

test("who shows undo and redo is told", () => {
  const store = new LabelStore();
  const history = new History(store);
  const told = vi.fn();
  history.onChange(told);
  store.apply("user", { put: [label("a")] });
  history.undo();
  expect(told).toHaveBeenCalledTimes(2);
});

test("steps of one name that follow each other quickly are one", () => {
  const store = new LabelStore();
  const history = new History(store);
  store.apply("user", { put: [label("a"), label("b")] });
  const move = (key: string, x: number) => () =>
    store.apply("user", { put: [{ ...store.get(key)!, geometry: box(x) }] });
  for (let x = 1; x <= 5; x += 1) history.together("nudge", move("a", x));
  history.together("nudge", move("b", 1)); // another label: a step of its own
  history.undo();
  expect(store.get("b")!.geometry).toEqual(box(0));
  expect(store.get("a")!.geometry).toEqual(box(5));
  history.undo();
  expect(store.get("a")!.geometry).toEqual(box(0));
  history.redo();
  expect(store.get("a")!.geometry).toEqual(box(5));
});

test("a step between, or a pause, ends what is joined", () => {
  vi.useFakeTimers();
  const store = new LabelStore();
  const history = new History(store);
  store.apply("user", { put: [label("a")] });
  const move = (x: number) => () => store.apply("user", { put: [{ ...store.get("a")!, geometry: box(x) }] });
  history.together("nudge", move(1));
  move(2)();
  history.together("nudge", move(3));
  vi.advanceTimersByTime(5000);
  history.together("nudge", move(4));
  vi.useRealTimers();
  const seen: unknown[] = [];
  while (history.canUndo) {
    history.undo();
    seen.push(store.get("a")?.geometry);
  }
  expect(seen).toEqual([box(3), box(2), box(1), box(0), undefined]);
});
