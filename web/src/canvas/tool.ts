/** What a tool gets and what it can do. A tool turns pointer events into drafts and, at their end, into orders for the host. */
import type { PredictedBy } from "~/api/generated";
import type { Draft, Overlay } from "./overlay";
import type { Scene } from "./scene";
import type { Spans } from "./spans";
import type { Bounds, Geometry, Point, Shape, Size } from "./types";
import type { View } from "./view";

export type ToolName = "select" | "box" | "polygon" | "ellipse" | "brush" | "eraser" | "keypoints" | "smart";

/** A pointer event in both coordinates: x, y of the image (may lie off it), sx, sy of the stage in CSS pixels. */
export interface ToolEvent {
  x: number;
  y: number;
  sx: number;
  sy: number;
  shift: boolean;
  alt: boolean;
  /** Control, or Command on a Mac. */
  mod: boolean;
  touch: boolean;
  clicks: number;
  /** Id of the handle under the pointer. */
  handle: string | null;
}

/** What new shapes look like; null where no class is chosen yet. */
export interface DrawStyle {
  color: string;
  pointNames: readonly string[];
  skeleton: readonly (readonly [number, number])[];
}

/** A shape of several clicks that is not finished. */
export interface Drawing {
  tool: "polygon" | "keypoints" | "smart";
  points: number;
  /** It could be finished now. */
  enough: boolean;
  /** Keypoints: the name of the next one, how many there are, and whether it will be a hidden one. */
  next: string;
  total: number;
  hidden: boolean;
  /** How often somebody was asked to finish it first. */
  asked: number;
}

/** The editor, as the canvas sees it. It decides; the canvas shows. */
export interface Host {
  style(): DrawStyle;
  brushSize(): number;
  canEdit(): boolean;
  /** A new shape was drawn; `at` is where, in CSS pixels of the stage. Returns its key if it was made at once. */
  create(geometry: Geometry, at: Point, madeWith?: PredictedBy): string | null;
  /** Shapes were changed: one step of the history. A geometry of null: nothing of it is left. */
  change(changes: readonly { key: string; geometry: Geometry | null }[]): void;
  select(keys: readonly string[]): void;
  hover(key: string | null): void;
  /** A selected prediction was clicked twice. */
  accept(key: string): void;
  /** The pointer is here on the image (null: gone). */
  cursor(point: Point | null): void;
  viewChanged(view: View): void;
  /** Somebody asked for the menu of a shape (or of the place). */
  menu(key: string | null, at: Point): void;
  /** What to do next with this tool, in a few words. */
  hint(text: string): void;
  /** A shape of several clicks grows, or is done (null). */
  drawing(state: Drawing | null): void;
}

/** The canvas, as a tool sees it. */
export interface Stage {
  readonly image: Size;
  readonly stage: Size;
  readonly scene: Scene;
  readonly host: Host;
  readonly overlay: Overlay;
  readonly view: View;
  readonly selection: readonly string[];
  /** So many CSS pixels, in pixels of the image. */
  reach(pixels: number): number;
  /** The shapes at this place, what a click means first: lines before areas, small before large. */
  at(x: number, y: number, touch: boolean): Shape[];
  setDraft(draft: Draft | null): void;
  /** Show shapes as they would be, above all others, until `drop`. */
  lift(shapes: ReadonlyMap<string, Geometry>): void;
  drop(): void;
  /** Show a mask that is being painted instead of the shape with this key. `part` is what changed since the last call. */
  showPaint(spans: Spans, color: string, key: string | null, part: Bounds | null): void;
  hidePaint(): void;
  redraw(): void;
}

export interface Tool {
  readonly cursor: string;
  down(event: ToolEvent): void;
  move(event: ToolEvent): void;
  up(event: ToolEvent): void;
  /** The pointer moves without a button. */
  hover(event: ToolEvent): void;
  /** Give up the press that is held, not what was drawn by those before it. Where it is missing, `cancel` does. */
  drop?(): void;
  /** Give up what is being drawn. Returns whether there was something. */
  cancel(): boolean;
  /** Finish what is being drawn (Enter). Returns whether there was something. */
  finish(): boolean;
  /** Take back the last step of what is being drawn (Backspace, undo). Returns whether there was something. */
  back(): boolean;
  /** A click with the right button. Returns whether it meant something; where it is missing, `back` is asked. */
  secondary?(event: ToolEvent): boolean;
  /** The view or the style changed while something is shown. */
  refresh?(): void;
  leave(): void;
}

const no = () => false;
const nothing = () => {};

/** In the place of a tool that has not been loaded yet. */
export const LOADING: Tool = {
  cursor: "progress",
  down: nothing,
  move: nothing,
  up: nothing,
  hover: nothing,
  cancel: no,
  finish: no,
  back: no,
  leave: nothing,
};

/** To a hundredth: halves of tidy numbers, angles. */
export function tidy2(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Coordinates are kept to a tenth of a pixel; whole ones if the user asks. */
export function tidy(value: number, whole = false): number {
  return whole ? Math.round(value) : Math.round(value * 10) / 10;
}
