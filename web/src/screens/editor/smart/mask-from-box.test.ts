import { afterEach, expect, test, vi } from "vitest";
import type { Segmented } from "~/api/generated";
import type { EditorLabel } from "~/editor/model";
import { LabelStore } from "~/editor/store";
import type { Controller } from "../controller";
import { setUi } from "../ui";
import { masksFromSelectedBoxes } from "./mask-from-box";

const by = { model: "sam", version: "1", weights_hash: "", min_confidence: null };
const mask = { type: "mask" as const, width: 9, height: 9, counts: "1" };
const box = (key: string): EditorLabel => ({
  key,
  imageId: 7,
  field: "labels",
  className: "car",
  geometry: { type: "box", x: 1, y: 1, width: 4, height: 4 },
  confidence: null,
  attributes: { colour: "red" },
  state: "proposed",
  id: 1,
  version: 1,
  origin: "person",
  model: "",
  predictedBy: null,
});

/** The editor with these boxes selected; while the model is asked, `meanwhile` happens. */
function open(labels: readonly EditorLabel[], meanwhile: (store: LabelStore) => void) {
  const store = new LabelStore();
  store.apply("server", { put: labels });
  setUi({ selection: labels.map(({ key }) => key) });
  const entry = { name: "sam", installed: {}, origin: "catalogue", tasks: ["prompted_segmentation"] };
  const made: Segmented = {
    mask,
    outline: null,
    confidence: 0.5,
    looked: false,
    segmented_by: by,
    seconds: 0.1,
  };
  vi.stubGlobal("fetch", async (request: Request | string) => {
    const url = typeof request === "string" ? request : request.url;
    if (url.includes("/segment")) meanwhile(store);
    const items = url.includes("/catalogue") ? [entry] : [];
    return Response.json(url.includes("/segment") ? made : { items });
  });
  const document = { store };
  const controller = { canEdit: () => true, document, session: { document: () => document } };
  return { store, controller: controller as unknown as Controller };
}

afterEach(() => vi.unstubAllGlobals());

test("what was changed of a label while the model was asked stays", async () => {
  const { store, controller } = open([box("a")], (now) => {
    const label = now.get("a")!;
    now.apply("user", {
      put: [{ ...label, className: "bus", attributes: { colour: "blue" }, state: "verified", version: 2 }],
    });
  });
  await masksFromSelectedBoxes(controller);
  expect(store.get("a")).toMatchObject({
    geometry: mask,
    madeWith: by,
    model: "sam",
    className: "bus",
    attributes: { colour: "blue" },
    state: "verified",
    version: 2,
  });
});

test("a box that was moved or deleted meanwhile stays as it is", async () => {
  const moved = { type: "box" as const, x: 3, y: 1, width: 4, height: 4 };
  const { store, controller } = open([box("a"), { ...box("b"), id: 2 }, { ...box("c"), id: 3 }], (now) =>
    now.apply("user", { put: [{ ...box("a"), geometry: moved }], remove: ["b"] }),
  );
  await masksFromSelectedBoxes(controller);
  expect(store.get("a")?.geometry).toEqual(moved);
  expect(store.get("b")).toBeUndefined();
  expect(store.get("c")?.geometry).toEqual(mask);
});
