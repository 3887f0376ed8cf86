/** The selected boxes become masks (or polygons, as the smart tool makes them): one step of the history. */

import { api, type RemoteModelList } from "~/api";
import type { Segmented } from "~/api/generated";
import { notifyDone, notifyError } from "~/app/notify";
import type { EditorLabel } from "~/editor/model";
import { remoteEntry } from "~/models/remote";
import { many } from "~/ui/format";
import type { Controller } from "../controller";
import { setUi, useUi } from "../ui";
import { chosen, fetchPrompted, type Output, SUGGESTED, segmentBox, usable, useSmart } from "./state";

/** What a model made of a label's box, and the label as it was when the model was asked. */
interface Cut {
  label: EditorLabel;
  made: Segmented;
}

let working = false;

export async function masksFromSelectedBoxes(controller: Controller): Promise<void> {
  const boxes = boxesOf(controller);
  if (!boxes.length) return notifyDone("Select one or more boxes first: each becomes a mask.");
  if (working) return;
  working = true;
  try {
    const model = await modelNow();
    const { output } = useSmart.getState();
    const cuts: Cut[] = [];
    for (const [i, label] of boxes.entries()) {
      setUi({ hint: `${model} cuts out ${i + 1} of ${boxes.length} …` });
      if (label.geometry?.type !== "box") continue;
      cuts.push({ label, made: await segmentBox(model, label.imageId, label.geometry) });
    }
    apply(controller, cuts, output);
  } catch (error) {
    notifyError("The boxes were not turned into masks", error);
  } finally {
    working = false;
    setUi({ hint: "" });
  }
}

function boxesOf(controller: Controller): EditorLabel[] {
  if (!controller.canEdit()) return [];
  const { selection, locked } = useUi.getState();
  return selection.flatMap((key) => {
    const label = controller.document?.store.get(key);
    return label?.geometry?.type === "box" && !locked.has(key) ? [label] : [];
  });
}

async function modelNow(): Promise<string> {
  const [{ items }, remote] = await Promise.all([
    fetchPrompted(),
    api.get<RemoteModelList>("/remote-models"),
  ]);
  const model = chosen(usable(items, remote.items.map(remoteEntry)), useSmart.getState().model);
  if (model) return model;
  throw new Error(
    `No model is here that cuts out what is pointed at. Fetch one on the models screen, as ${SUGGESTED}.`,
  );
}

/** The label with what a model made of its box; null where it found nothing. */
function withShape(label: EditorLabel, made: Segmented, output: Output): EditorLabel | null {
  const geometry = output === "polygon" ? made.outline : made.mask;
  if (!geometry) return null;
  const own = label.origin === "model" ? {} : { madeWith: made.segmented_by, model: made.segmented_by.model };
  return { ...label, ...own, geometry };
}

/** Labels whose box was changed meanwhile are left as they are; what else was changed of one stays. */
function apply(controller: Controller, cuts: readonly Cut[], output: Output): void {
  const first = cuts[0]?.label;
  if (!first) return;
  const store = controller.session.document(first.imageId, first.field).store;
  const still = cuts.flatMap(({ label, made }) => {
    const now = store.get(label.key);
    return (now && now.geometry === label.geometry && withShape(now, made, output)) || [];
  });
  if (still.length) store.apply("user", { put: still });
  const left = cuts.length - still.length;
  if (left)
    notifyDone(
      `Nothing was found in ${many(left, "box", "boxes")}; ${left === 1 ? "it stays" : "they stay"} as ${left === 1 ? "it was" : "they were"}.`,
    );
}
