import { beforeEach, expect, test } from "vitest";
import type { Image, Prediction } from "~/api";
import { History } from "~/editor/history";
import { LabelStore } from "~/editor/store";
import type { Controller } from "./controller";
import { Edits } from "./edits";
import { PredictionDesk } from "./predictions";
import { GHOST } from "./shapes";
import { setUi, useUi } from "./ui";

const by = { model: "cells" } as never;
const box = (x: number, width = 10) => ({ type: "box" as const, x, y: 0, width, height: 10 });
const seen = (class_name: string, confidence: number, x: number): Prediction =>
  ({ class_name, confidence, geometry: box(x), attributes: {} }) as Prediction;

/** A controller without a canvas: what the desk and the edits ask of it. */
function desk(imageId = 1, width = 100) {
  const store = new LabelStore();
  const document = { imageId, field: "gt", store, history: new History(store), loaded: true };
  const image = { id: imageId, width, height: 100 } as Image;
  const controller = {
    image,
    document,
    readOnly: false,
    engine: null,
    classes: new Map(),
    onNewClass: () => {},
    canEdit: () => true,
    select: (keys: readonly string[]) => setUi({ selection: keys }),
    change: (changes: readonly { key: string; geometry: ReturnType<typeof box> }[]) =>
      store.apply("user", { put: changes.map(({ key, geometry }) => ({ ...store.get(key)!, geometry })) }),
  };
  const made = controller as unknown as Controller;
  const predictions = new PredictionDesk(made);
  const edits = new Edits(Object.assign(made, { predictions }));
  store.observe((changes) => changes.cause === "history" && predictions.follow(changes));
  return { made, store, predictions, edits };
}

const items = () => useUi.getState().predictions?.items ?? [];

beforeEach(() => setUi({ predictions: null, selection: [], threshold: 0.5, clipboard: [], learning: true }));

test("one key goes through the predictions: accepted ones become labels, the next is selected", () => {
  const { predictions, store, edits } = desk();
  const all = [seen("rod", 0.9, 0), seen("disc", 0.2, 20), seen("disc", 0.8, 40)];
  predictions.set({ imageId: 1, items: all, by, seconds: 0 });
  edits.step(1);
  expect(useUi.getState().selection).toEqual([`${GHOST}0`]);
  expect(predictions.acceptSelected()).toBe(true);
  expect(store.all().map((label) => [label.className, label.confidence])).toEqual([["rod", 0.9]]);
  // The one below the threshold is passed over.
  expect(predictions.at(useUi.getState().selection[0]!)).toBe(all[2]);
  expect(predictions.dismissSelected()).toBe(true);
  expect(items()).toEqual([all[1]]);
  expect(predictions.acceptSelected()).toBe(false);
});

test("a class key accepts the selected prediction under that class", () => {
  const { predictions, store, edits } = desk();
  predictions.set({ imageId: 1, items: [seen("rod", 0.9, 0)], by, seconds: 0 });
  edits.step(1);
  edits.chooseClass("disc");
  expect(store.all().map((label) => label.className)).toEqual(["disc"]);
});

test("undo of an acceptance brings the predictions back, redo takes them again", () => {
  const { predictions, made, store } = desk();
  const all = [seen("rod", 0.9, 0), seen("disc", 0.8, 40)];
  predictions.set({ imageId: 1, items: all, by, seconds: 0 });
  expect(predictions.accept(predictions.shown())).toBe(2);
  expect(useUi.getState().predictions).toBeNull();
  made.document!.history.undo();
  expect(store.size).toBe(0);
  expect(items()).toEqual(all);
  made.document!.history.redo();
  expect(store.size).toBe(2);
  expect(useUi.getState().predictions).toBeNull();
});

test("predictions are there again when one comes back to their image", () => {
  const { predictions } = desk();
  predictions.set({ imageId: 1, items: [seen("rod", 0.9, 0)], by, seconds: 0 });
  predictions.set({ imageId: 2, items: [seen("disc", 0.9, 0)], by, seconds: 0 });
  expect(items()[0]!.class_name).toBe("rod");
  expect(predictions.of(2)!.items[0]!.class_name).toBe("disc");
  predictions.clear();
  expect(predictions.of(1)).toBeNull();
});

test("an answer that comes after its image was cleared is dropped; one for another image is kept", () => {
  const { predictions } = desk();
  const answer = { items: [seen("rod", 0.9, 0)], by, seconds: 0 };
  const late = predictions.ask(1);
  predictions.clear();
  late(answer);
  expect(predictions.of(1)).toBeNull();
  const other = predictions.ask(2);
  predictions.clear();
  other(answer);
  expect(predictions.of(2)!.items).toEqual(answer.items);
  predictions.ask(1)(answer);
  expect(items()).toEqual(answer.items);
});

test("labels are pasted at their place on another image, beside themselves on their own, and never off it", () => {
  const first = desk(1, 100);
  first.store.apply("user", { put: [] });
  setUi({
    clipboard: [
      { className: "rod", geometry: box(80), attributes: { z_order: 2 } },
      { className: "wide", geometry: box(0, 90), attributes: {} },
      { className: "mask", geometry: { type: "mask", width: 100, height: 100, counts: "" }, attributes: {} },
      { className: "blurred", geometry: null, attributes: {} },
    ],
  });
  const small = desk(2, 60);
  expect(small.edits.paste()).toBe(2);
  const [rod, blurred] = small.store.all();
  expect(rod).toMatchObject({ imageId: 2, className: "rod", geometry: box(50), attributes: { z_order: 2 } });
  expect(blurred).toMatchObject({ className: "blurred", geometry: null });
  expect(small.edits.paste()).toBe(1); // an image has a class once
  setUi({ selection: [rod!.key] });
  expect(small.edits.copy()).toBe(1);
  small.edits.paste();
  expect(small.store.all().at(-1)!.geometry).not.toEqual(rod!.geometry);
});

test("steps of the arrow keys are undone as one", () => {
  const { store, edits, made } = desk();
  setUi({ clipboard: [{ className: "rod", geometry: box(10), attributes: {} }] });
  edits.paste();
  for (let i = 0; i < 4; i += 1) edits.nudge(1, 0);
  expect(store.all()[0]!.geometry).toEqual(box(14));
  made.document!.history.undo();
  expect(store.all()[0]!.geometry).toEqual(box(10));
});
