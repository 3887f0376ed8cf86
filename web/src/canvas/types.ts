/** What the canvas draws. Coordinates are pixels of the upright image; nothing here knows React, the server or the DOM. */
import type { Box, Ellipse, Keypoints, Mask, Polygon } from "~/api/generated";

export type Geometry = Box | Polygon | Ellipse | Mask | Keypoints;
export type GeometryType = Geometry["type"];
export type { Box, Ellipse, Keypoints, Mask, Polygon };

export interface Point {
  x: number;
  y: number;
}

/** An upright rectangle by its corners; empty where x1 <= x0 or y1 <= y0. */
export interface Bounds {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface Size {
  width: number;
  height: number;
}

/** One thing on the canvas. Values are never changed in place: an edit makes a new one. */
export interface Shape {
  key: string;
  geometry: Geometry;
  /** `#rrggbb` */
  color: string;
  /** What its tag says. */
  text: string;
  /** Drawn later lies on top; equal ones lie in the order they came. */
  z: number;
  /** A prediction: dashed, not editable. */
  ghost: boolean;
  hidden: boolean;
  locked: boolean;
  skeleton: readonly (readonly [number, number])[];
  pointNames: readonly string[];
}

export function unite(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (!a || !b) return a ?? b;
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}

export function overlaps(a: Bounds, b: Bounds): boolean {
  return a.x0 <= b.x1 && b.x0 <= a.x1 && a.y0 <= b.y1 && b.y0 <= a.y1;
}

export function grow(b: Bounds, by: number): Bounds {
  return { x0: b.x0 - by, y0: b.y0 - by, x1: b.x1 + by, y1: b.y1 + by };
}
