/** Labels and predictions as the canvas draws them. */
import type { LabelClass, Prediction } from "~/api";
import type { Geometry, Shape } from "~/canvas/types";
import { depthOf, type EditorLabel } from "~/editor/model";
import { colorOf } from "~/ui/colors";
import type { EditorUi } from "./ui";

type Classes = ReadonlyMap<string, LabelClass>;

/** Keys of predictions begin with this, followed by their place in the list. */
export const GHOST = "prediction ";
const ABOVE_ALL = 1e6;

export function shapeOf(
  label: EditorLabel,
  { hidden, locked }: Pick<EditorUi, "hidden" | "locked">,
  classes: Classes,
): Shape | null {
  if (!label.geometry) return null;
  return {
    ...looksOf(label.className, label.confidence, classes),
    key: label.key,
    geometry: label.geometry,
    z: depthOf(label),
    ghost: false,
    hidden: hidden.has(label.key),
    locked: locked.has(label.key),
  };
}

/** The predictions as shapes; those that are not shown are hidden. */
export function ghostsOf(
  ui: Pick<EditorUi, "predictions" | "threshold" | "showPredictions">,
  classes: Classes,
): Shape[] {
  return (ui.predictions?.items ?? []).flatMap((item, i) => {
    if (!item.geometry) return [];
    return {
      ...looksOf(item.class_name, item.confidence, classes),
      key: GHOST + i,
      geometry: item.geometry as Geometry,
      z: ABOVE_ALL,
      ghost: true,
      hidden: !ui.showPredictions || !passes(item, ui.threshold),
      locked: false,
    };
  });
}

/** Whether the threshold lets a prediction through. */
export function passes(item: Prediction, threshold: number): boolean {
  return item.confidence === null || item.confidence >= threshold - 1e-9;
}

function looksOf(className: string, confidence: number | null, classes: Classes) {
  const known = classes.get(className);
  return {
    color: known?.color ?? colorOf(className),
    text: confidence === null ? className : `${className} ${confidence.toFixed(2)}`,
    skeleton: known?.skeleton ?? [],
    pointNames: known?.keypoint_names ?? [],
  };
}

export function sameShape(a: Shape | undefined, b: Shape): boolean {
  return a !== undefined && (Object.keys(b) as (keyof Shape)[]).every((name) => a[name] === b[name]);
}
