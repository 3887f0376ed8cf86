/** A label as the editor holds it. Values are never changed in place. */
import type { Label, PredictedBy } from "~/api/generated";
import type { Geometry } from "~/canvas/types";

export interface EditorLabel {
  /** Its name in this browser; stays the same when the server gives it an id, and when undo makes it again. */
  key: string;
  imageId: number;
  field: string;
  className: string;
  /** Null: the class of the whole image. */
  geometry: Geometry | null;
  confidence: number | null;
  attributes: Readonly<Record<string, unknown>>;
  state: Label["state"];
  /** Null until the server has it. */
  id: number | null;
  version: number | null;
  origin: Label["origin"];
  model: string;
  predictedBy: PredictedBy | null;
  /** The model that helped a person with the geometry; null: none any more. Not known of labels that were loaded. */
  madeWith?: PredictedBy | null | undefined;
}

/** What a person can change of a label. */
export type Edit = Partial<Pick<EditorLabel, "className" | "geometry" | "attributes">>;

export function fromServer(label: Label, key = `l${label.id}`): EditorLabel {
  return {
    key,
    imageId: label.image_id,
    field: label.field,
    className: label.class_name,
    geometry: label.geometry as Geometry | null,
    confidence: label.confidence,
    attributes: label.attributes,
    state: label.state,
    id: label.id,
    version: label.version,
    origin: label.origin,
    model: label.model,
    predictedBy: null,
  };
}

export interface Draft {
  imageId: number;
  field: string;
  className: string;
  geometry: Geometry | null;
  confidence?: number | null;
  attributes?: Readonly<Record<string, unknown>>;
  predictedBy?: PredictedBy | null;
  madeWith?: PredictedBy | undefined;
}

let count = 0;

/** A name that no other label has, in this browser or another. */
export function newKey(): string {
  count += 1;
  const random = crypto.getRandomValues(new Uint32Array(2));
  return `n${Date.now().toString(36)}${random[0]!.toString(36)}${random[1]!.toString(36)}${count}`;
}

export function makeLabel(draft: Draft, key = newKey()): EditorLabel {
  return {
    key,
    imageId: draft.imageId,
    field: draft.field,
    className: draft.className,
    geometry: draft.geometry,
    confidence: draft.confidence ?? null,
    attributes: draft.attributes ?? {},
    state: "verified",
    id: null,
    version: null,
    origin: draft.predictedBy ? "model" : "person",
    model: (draft.predictedBy ?? draft.madeWith)?.model ?? "",
    predictedBy: draft.predictedBy ?? null,
    ...(draft.madeWith && { madeWith: draft.madeWith }),
  };
}

/** Height in the stack; 0 where nobody has said one. It travels as an attribute. */
export function depthOf(label: EditorLabel): number {
  const z = label.attributes.z_order;
  return typeof z === "number" ? z : 0;
}
