/** Draws shapes on a 2D context in device pixels: one path per colour, fills first, lines on top. */
import { boxRing, ellipseRing, radians, signedArea } from "./geometry";
import { spansOf } from "./spans";
import type { Geometry, Keypoints, Mask, Shape } from "./types";
import type { View } from "./view";

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** A coloured picture of a mask: it covers x, y, width, height of the image. */
export interface MaskPicture {
  bitmap: CanvasImageSource;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PaintOptions {
  /** Opacity of fills. */
  fill: number;
  /** Width of lines in device pixels. */
  line: number;
  /** Write what they are. */
  names: boolean;
  font: string;
  /** A picture of the mask if there is one by now. */
  maskPicture(mask: Mask, color: string): MaskPicture | null;
}

const oriented = new WeakMap<Geometry, readonly (readonly number[])[]>();

/** Outer rings clockwise, holes the other way round: then one non-zero fill of many shapes cuts the holes out. */
function orientedRings(g: Geometry): readonly (readonly number[])[] {
  let rings = oriented.get(g);
  if (!rings) {
    if (g.type === "polygon") {
      const turn = (ring: readonly number[], positive: boolean) =>
        signedArea(ring) >= 0 === positive ? ring : reversed(ring);
      rings = [
        ...g.rings.map((ring) => turn(ring, true)),
        ...(g.holes ?? []).map((ring) => turn(ring, false)),
      ];
    } else rings = g.type === "box" ? [boxRing(g)] : g.type === "ellipse" ? [ellipseRing(g)] : [];
    oriented.set(g, rings);
  }
  return rings;
}

function reversed(ring: readonly number[]): number[] {
  const out: number[] = [];
  for (let i = ring.length - 2; i >= 0; i -= 2) out.push(ring[i]!, ring[i + 1]!);
  return out;
}

/** Outlines of all shapes of one look, as one path. */
interface Group {
  look: Shape;
  path: Path2D;
}

/** Outlines in image pixels that are drawn again and again while the view changes and the shapes do not. */
export type Outlines = ReadonlyMap<string, Group>;

/** Draw them, the first lowest. `view` maps the image to device pixels. With `outlines`, areas are drawn from those. */
export function paintShapes(
  context: Context,
  shapes: readonly Shape[],
  view: View,
  options: PaintOptions,
  outlines?: Outlines,
): void {
  const areas = new Map<string, Shape[]>();
  const points: Shape[] = [];
  for (const shape of shapes) {
    const { geometry } = shape;
    if (geometry.type === "mask") paintMask(context, shape, geometry, view, options);
    else if (geometry.type === "keypoints") points.push(shape);
    else if (!outlines) groupInto(areas, shape);
  }
  context.lineJoin = "round";
  if (outlines) {
    context.save();
    context.transform(view.scale, 0, 0, view.scale, view.x, view.y);
    for (const { look, path } of outlines.values()) paintAreas(context, look, options, view.scale, path);
    context.restore();
  }
  for (const group of areas.values()) {
    context.beginPath();
    for (const shape of group) tracePath(context, shape.geometry, view, 0.8);
    paintAreas(context, group[0]!, options, 1);
  }
  context.setLineDash([]);
  context.lineWidth = options.line;
  for (const shape of points) paintKeypoints(context, shape, shape.geometry as Keypoints, view, options);
  if (options.names) paintNames(context, shapes, view, options);
}

/** Make the outlines of all of these that have one. */
export function outlinesOf(shapes: readonly Shape[]): Outlines {
  const areas = new Map<string, Shape[]>();
  for (const shape of shapes) {
    if (shape.geometry.type !== "mask" && shape.geometry.type !== "keypoints") groupInto(areas, shape);
  }
  const made = new Map<string, Group>();
  for (const [look, group] of areas) {
    const path = new Path2D();
    for (const shape of group) tracePath(path, shape.geometry, { scale: 1, x: 0, y: 0 }, 0);
    made.set(look, { look: group[0]!, path });
  }
  return made;
}

function groupInto(areas: Map<string, Shape[]>, shape: Shape): void {
  // A box is filled lightly: it says less than an outline what is inside.
  const box = shape.geometry.type === "box" ? " box" : "";
  const look = `${shape.color}${box}${shape.ghost ? " ghost" : ""}`;
  const there = areas.get(look);
  if (there) there.push(shape);
  else areas.set(look, [shape]);
}

/** Fill and stroke the path (default: the current one), in a space where one device pixel is 1 / scale. */
function paintAreas(
  context: Context,
  look: Shape,
  options: PaintOptions,
  scale: number,
  path?: Path2D,
): void {
  const { color, ghost, geometry } = look;
  const line = options.line / scale;
  if (options.fill > 0) {
    context.globalAlpha = options.fill * (ghost ? 0.5 : 1) * (geometry.type === "box" ? 0.5 : 1);
    context.fillStyle = color;
    if (path) context.fill(path);
    else context.fill();
  }
  context.globalAlpha = 1;
  context.lineWidth = line;
  context.setLineDash(ghost ? [4 * line, 3 * line] : []);
  context.strokeStyle = color;
  if (path) context.stroke(path);
  else context.stroke();
}

/** Add the outlines to the path. Points closer than `least` to the last one are left out. */
function tracePath(context: Context | Path2D, g: Geometry, view: View, least: number): void {
  const { scale, x: dx, y: dy } = view;
  if (g.type === "box") {
    const [x, y, w, h] = [g.x * scale + dx, g.y * scale + dy, g.width * scale, g.height * scale];
    context.rect(x, y, w, h);
    return;
  }
  if (g.type === "ellipse") {
    const cx = g.cx * scale + dx;
    const cy = g.cy * scale + dy;
    const turn = radians(g.angle);
    context.moveTo(cx + g.rx * scale * Math.cos(turn), cy + g.rx * scale * Math.sin(turn));
    context.ellipse(cx, cy, g.rx * scale, g.ry * scale, turn, 0, 2 * Math.PI);
    return;
  }
  for (const ring of orientedRings(g)) {
    let lastX = ring[0]! * scale + dx;
    let lastY = ring[1]! * scale + dy;
    context.moveTo(lastX, lastY);
    for (let i = 2; i < ring.length; i += 2) {
      const x = ring[i]! * scale + dx;
      const y = ring[i + 1]! * scale + dy;
      if (Math.abs(x - lastX) + Math.abs(y - lastY) < least) continue;
      context.lineTo(x, y);
      lastX = x;
      lastY = y;
    }
    context.closePath();
  }
}

function paintMask(context: Context, shape: Shape, mask: Mask, view: View, options: PaintOptions): void {
  const picture = options.maskPicture(mask, shape.color);
  context.globalAlpha = shape.ghost ? 0.6 : 1;
  if (picture) {
    context.imageSmoothingEnabled = view.scale < 4;
    const { x, y, width, height } = picture;
    context.drawImage(
      picture.bitmap,
      x * view.scale + view.x,
      y * view.scale + view.y,
      width * view.scale,
      height * view.scale,
    );
  } else {
    context.globalAlpha = MASK_ALPHA;
    context.fillStyle = shape.color;
    paintSpans(context, mask, view);
  }
  context.globalAlpha = 1;
}

export const MASK_ALPHA = 0.45;

/** Fill a mask from its runs, column by column; zoomed out only as many columns as there are pixels. */
export function paintSpans(
  context: Context,
  mask: Mask | ReturnType<typeof spansOf>,
  view: View,
  part?: { x0: number; x1: number },
): void {
  const spans = "counts" in mask ? spansOf(mask) : mask;
  const step = Math.max(1, Math.floor(1 / view.scale));
  const wide = step * view.scale;
  context.beginPath();
  const from = Math.max(0, part ? Math.floor(part.x0 / step) * step : 0);
  const to = Math.min(spans.width, part?.x1 ?? spans.width);
  for (let x = from; x < to; x += step) {
    const column = spans.column(x);
    const left = x * view.scale + view.x;
    for (let i = 0; i < column.length; i += 2) {
      context.rect(left, column[i]! * view.scale + view.y, wide, (column[i + 1]! - column[i]!) * view.scale);
    }
  }
  context.fill();
}

function paintKeypoints(
  context: Context,
  shape: Shape,
  g: Keypoints,
  view: View,
  options: PaintOptions,
): void {
  const { points } = g;
  const x = (i: number) => points[3 * i]! * view.scale + view.x;
  const y = (i: number) => points[3 * i + 1]! * view.scale + view.y;
  context.strokeStyle = shape.color;
  context.fillStyle = shape.color;
  context.setLineDash(shape.ghost ? [4 * options.line, 3 * options.line] : []);
  context.beginPath();
  for (const [a, b] of shape.skeleton) {
    if (!points[3 * a + 2] || !points[3 * b + 2]) continue;
    context.moveTo(x(a), y(a));
    context.lineTo(x(b), y(b));
  }
  context.stroke();
  context.setLineDash([]);
  const radius = 2.2 * options.line;
  context.beginPath();
  for (let i = 0; 3 * i < points.length; i += 1) {
    if (!points[3 * i + 2]) continue;
    context.moveTo(x(i) + radius, y(i));
    context.arc(x(i), y(i), radius, 0, 2 * Math.PI);
  }
  context.fill();
}

function paintNames(context: Context, shapes: readonly Shape[], view: View, options: PaintOptions): void {
  context.font = options.font;
  context.textBaseline = "middle";
  const unit = options.line / 1.5;
  for (const shape of shapes) {
    const at = tagPoint(shape.geometry);
    const x = at.x * view.scale + view.x;
    const y = at.y * view.scale + view.y;
    const width = context.measureText(shape.text).width + 8 * unit;
    const height = 15 * unit;
    context.fillStyle = shape.color;
    context.fillRect(x - options.line / 2, y - height, width, height);
    context.fillStyle = isLight(shape.color) ? "#101418" : "#ffffff";
    context.fillText(shape.text, x + 4 * unit - options.line / 2, y - height / 2);
  }
}

/** Where a tag is fixed: the top left corner of a box, else the highest point. */
export function tagPoint(g: Geometry): { x: number; y: number } {
  if (g.type === "box") return { x: g.x, y: g.y };
  if (g.type === "polygon") {
    const ring = g.rings[0]!;
    let best = 0;
    for (let i = 2; i < ring.length; i += 2) if (ring[i + 1]! < ring[best + 1]!) best = i;
    return { x: ring[best]!, y: ring[best + 1]! };
  }
  if (g.type === "ellipse") return { x: g.cx, y: g.cy - g.ry };
  if (g.type === "mask") {
    const b = spansOf(g).bounds();
    return b ? { x: b.x0, y: b.y0 } : { x: 0, y: 0 };
  }
  let at = 0;
  let top = Infinity;
  for (let i = 0; i < g.points.length; i += 3) {
    if (g.points[i + 2] && g.points[i + 1]! < top) {
      at = i;
      top = g.points[i + 1]!;
    }
  }
  return { x: g.points[at]!, y: g.points[at + 1]! };
}

/** Whether dark text reads better on a colour. */
export function isLight(color: string): boolean {
  const value = Number.parseInt(color.slice(1), 16);
  return 0.299 * (value >> 16) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255) > 150;
}
