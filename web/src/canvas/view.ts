/** Which part of the image is on screen: screen = image * scale + offset, in CSS pixels. Values, never changed. */
import type { Bounds, Point, Size } from "./types";

export interface View {
  scale: number;
  x: number;
  y: number;
}

export const MOST = 80;

/** The smallest useful scale for an image: a third of what fits, and never above 1. */
function least(image: Size, stage: Size): number {
  return Math.min(1, fitScale(image, stage, 0) / 3);
}

function fitScale(image: Size, stage: Size, margin: number): number {
  return Math.min((stage.width - 2 * margin) / image.width, (stage.height - 2 * margin) / image.height);
}

/** The whole image in the middle, with a margin. A small image grows, but to whole steps and not without end. */
export function fitView(image: Size, stage: Size, margin = 16): View {
  let scale = Math.max(1e-4, fitScale(image, stage, margin));
  if (scale > 1) scale = Math.min(16, scale >= 2 ? Math.floor(scale) : scale);
  return centred(image, stage, scale);
}

export function centred(image: Size, stage: Size, scale: number): View {
  return { scale, x: (stage.width - image.width * scale) / 2, y: (stage.height - image.height * scale) / 2 };
}

/** A part of the image in the middle, no larger than `most` and no smaller than fits. */
export function fitBounds(b: Bounds, stage: Size, margin = 64, most = 8): View {
  const size = { width: Math.max(1, b.x1 - b.x0), height: Math.max(1, b.y1 - b.y0) };
  const scale = Math.min(most, Math.max(1e-4, fitScale(size, stage, margin)));
  return {
    scale,
    x: stage.width / 2 - ((b.x0 + b.x1) / 2) * scale,
    y: stage.height / 2 - ((b.y0 + b.y1) / 2) * scale,
  };
}

/** Zoom by a factor so that what is at this point of the screen stays there. */
export function zoomAt(view: View, at: Point, factor: number, image: Size, stage: Size): View {
  const scale = Math.min(MOST, Math.max(least(image, stage), view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

/** Keep some of the image on the stage: nobody shall lose it. */
export function keepInSight(view: View, image: Size, stage: Size): View {
  const rest = 48;
  const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
  return {
    scale: view.scale,
    x: clamp(view.x, rest - image.width * view.scale, stage.width - rest),
    y: clamp(view.y, rest - image.height * view.scale, stage.height - rest),
  };
}

export function toImage(view: View, x: number, y: number): Point {
  return { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale };
}

export function toScreen(view: View, x: number, y: number): Point {
  return { x: x * view.scale + view.x, y: y * view.scale + view.y };
}

/** The part of the image that a rectangle of the screen shows. */
export function seen(view: View, width: number, height: number, margin = 0): Bounds {
  const a = toImage(view, -margin, -margin);
  const b = toImage(view, width + margin, height + margin);
  return { x0: a.x, y0: a.y, x1: b.x, y1: b.y };
}

/** A view that shows all of these bounds: the same one if it does already, else moved, and zoomed out if it must be. */
export function revealed(view: View, b: Bounds, stage: Size): View {
  const part = seen(view, stage.width, stage.height, -24);
  if (b.x0 >= part.x0 && b.x1 <= part.x1 && b.y0 >= part.y0 && b.y1 <= part.y1) return view;
  const scale = Math.min(view.scale, fitBounds(b, stage).scale);
  return {
    scale,
    x: stage.width / 2 - ((b.x0 + b.x1) / 2) * scale,
    y: stage.height / 2 - ((b.y0 + b.y1) / 2) * scale,
  };
}
