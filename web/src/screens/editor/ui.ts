/** How the editor looks at this moment: tool, selection, what is hidden, what is shown how. Nothing here is a label. */
import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { PredictedBy, Prediction } from "~/api";
import type { Drawing, ToolName } from "~/canvas/tool";
import type { Geometry, Point } from "~/canvas/types";

export interface Predictions {
  imageId: number;
  items: readonly Prediction[];
  by: PredictedBy;
  seconds: number;
}

/** The list of classes at the cursor: for a shape that waits for its class, for the selection, or for what comes next. */
export interface Picker {
  at: Point;
  geometry: Geometry | null;
  /** The model that helped with the shape that waits. */
  madeWith?: PredictedBy | undefined;
}

/** A label as it is copied: what it says, without where it came from. */
export interface CopiedLabel {
  className: string;
  geometry: Geometry | null;
  attributes: Readonly<Record<string, unknown>>;
}

export interface EditorUi {
  tool: ToolName;
  activeClass: string;
  selection: readonly string[];
  hovered: string | null;
  hidden: ReadonlySet<string>;
  locked: ReadonlySet<string>;
  allHidden: boolean;
  picker: Picker | null;
  menu: { key: string | null; at: Point } | null;
  hint: string;
  /** A shape of several clicks that is not finished. */
  drawing: Drawing | null;
  clipboard: readonly CopiedLabel[];
  /** Classes as they were chosen, the latest first. */
  recent: readonly string[];
  cursor: Point | null;
  scale: number;
  predictions: Predictions | null;
  /** Kept over visits. */
  brush: number;
  names: boolean;
  fill: number;
  brightness: number;
  contrast: number;
  learning: boolean;
  /** The box for questions is open, in place of the panel. Not kept over visits. */
  asking: boolean;
  showPredictions: boolean;
  threshold: number;
  nms: number;
  model: string;
  training: Readonly<Record<string, unknown>>;
}

export const useUi = create<EditorUi>()(
  persist(
    (): EditorUi => ({
      tool: "select",
      activeClass: "",
      selection: [],
      hovered: null,
      hidden: new Set(),
      locked: new Set(),
      allHidden: false,
      picker: null,
      menu: null,
      hint: "",
      drawing: null,
      clipboard: [],
      recent: [],
      cursor: null,
      scale: 1,
      predictions: null,
      brush: 24,
      names: false,
      fill: 0.16,
      brightness: 1,
      contrast: 1,
      learning: false,
      asking: false,
      showPredictions: true,
      threshold: 0.5,
      nms: 0.5,
      model: "",
      training: {},
    }),
    {
      name: "countersign.editor",
      version: 1,
      partialize: ({
        brush,
        names,
        fill,
        learning,
        showPredictions,
        threshold,
        nms,
        training,
        activeClass,
        tool,
      }) => ({
        brush,
        names,
        fill,
        learning,
        showPredictions,
        threshold,
        nms,
        training,
        activeClass,
        tool,
      }),
    },
  ),
);

/** Set parts of it. Equal values are left alone, so that nothing is drawn again for nothing. */
export function setUi(next: Partial<EditorUi>): void {
  const now = useUi.getState();
  const keys = Object.keys(next) as (keyof EditorUi)[];
  if (keys.some((key) => now[key] !== next[key])) useUi.setState(next);
}

export function toggled<T>(set: ReadonlySet<T>, values: readonly T[]): ReadonlySet<T> {
  const next = new Set(set);
  const all = values.every((value) => next.has(value));
  for (const value of values) {
    if (all) next.delete(value);
    else next.add(value);
  }
  return next;
}
