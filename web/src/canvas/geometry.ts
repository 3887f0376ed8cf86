/** What can be asked of a geometry: its bounds, its area, whether a point hits it, how it is outlined and moved. */
import { spansOf } from "./spans";
import type { Bounds, Box, Ellipse, Geometry, Point, Polygon, Size } from "./types";

const known = new WeakMap<Geometry, Bounds>();

/** The smallest upright rectangle around it. An empty mask has none: a point at its corner. */
export function boundsOf(geometry: Geometry): Bounds {
  let bounds = known.get(geometry);
  if (!bounds) {
    bounds = computeBounds(geometry);
    known.set(geometry, bounds);
  }
  return bounds;
}

function computeBounds(g: Geometry): Bounds {
  switch (g.type) {
    case "box":
      return { x0: g.x, y0: g.y, x1: g.x + g.width, y1: g.y + g.height };
    case "polygon":
      return ringBounds(g.rings);
    case "ellipse": {
      const turn = radians(g.angle);
      const w = Math.hypot(g.rx * Math.cos(turn), g.ry * Math.sin(turn));
      const h = Math.hypot(g.rx * Math.sin(turn), g.ry * Math.cos(turn));
      return { x0: g.cx - w, y0: g.cy - h, x1: g.cx + w, y1: g.cy + h };
    }
    case "mask":
      return spansOf(g).bounds() ?? { x0: 0, y0: 0, x1: 0, y1: 0 };
    case "keypoints": {
      const bounds = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
      for (let i = 0; i < g.points.length; i += 3) {
        if (g.points[i + 2]) stretch(bounds, g.points[i]!, g.points[i + 1]!);
      }
      if (g.box) {
        stretch(bounds, g.box.x, g.box.y);
        stretch(bounds, g.box.x + g.box.width, g.box.y + g.box.height);
      }
      return bounds;
    }
  }
}

function stretch(b: Bounds, x: number, y: number): void {
  if (x < b.x0) b.x0 = x;
  if (y < b.y0) b.y0 = y;
  if (x > b.x1) b.x1 = x;
  if (y > b.y1) b.y1 = y;
}

function ringBounds(rings: readonly (readonly number[])[]): Bounds {
  const bounds = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (const ring of rings) for (let i = 0; i < ring.length; i += 2) stretch(bounds, ring[i]!, ring[i + 1]!);
  return bounds;
}

export function radians(degrees: number | undefined): number {
  return ((degrees ?? 0) * Math.PI) / 180;
}

/** Signed area of a ring by the shoelace formula: positive where it goes clockwise on the screen. */
export function signedArea(ring: readonly number[]): number {
  let sum = 0;
  const n = ring.length;
  for (let i = 0, j = n - 2; i < n; j = i, i += 2) sum += ring[j]! * ring[i + 1]! - ring[i]! * ring[j + 1]!;
  return sum / 2;
}

/** Area in square pixels; keypoints have that of their bounds. */
export function areaOf(g: Geometry): number {
  switch (g.type) {
    case "box":
      return g.width * g.height;
    case "polygon": {
      const sum = (rings: readonly number[][]) =>
        rings.reduce((all, ring) => all + Math.abs(signedArea(ring)), 0);
      return sum(g.rings) - sum(g.holes ?? []);
    }
    case "ellipse":
      return Math.PI * g.rx * g.ry;
    case "mask":
      return spansOf(g).area();
    case "keypoints": {
      const b = boundsOf(g);
      return (b.x1 - b.x0) * (b.y1 - b.y0);
    }
  }
}

/** Points of an ellipse, for drawing and distances. */
export function ellipseRing(g: Ellipse, points = 48): number[] {
  const turn = radians(g.angle);
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const ring: number[] = [];
  for (let i = 0; i < points; i += 1) {
    const step = (2 * Math.PI * i) / points;
    const across = g.rx * Math.cos(step);
    const down = g.ry * Math.sin(step);
    ring.push(g.cx + across * cos - down * sin, g.cy + across * sin + down * cos);
  }
  return ring;
}

export function boxRing(g: Box): number[] {
  return [g.x, g.y, g.x + g.width, g.y, g.x + g.width, g.y + g.height, g.x, g.y + g.height];
}

/** Closed outlines of it; empty for masks and keypoints. */
export function ringsOf(g: Geometry): readonly (readonly number[])[] {
  switch (g.type) {
    case "box":
      return [boxRing(g)];
    case "polygon":
      return g.holes?.length ? [...g.rings, ...g.holes] : g.rings;
    case "ellipse":
      return [ellipseRing(g)];
    default:
      return [];
  }
}

function insideRing(ring: readonly number[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    const yi = ring[i + 1]!;
    const yj = ring[j + 1]!;
    if (yi > y !== yj > y && x < ((ring[j]! - ring[i]!) * (y - yi)) / (yj - yi) + ring[i]!) inside = !inside;
  }
  return inside;
}

/** Distance of a point from a piece of line. */
export function segmentDistance(
  x: number,
  y: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): number {
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const t = length ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** Distance of a point from the nearest side of closed rings, and which side that is. */
export function nearestSide(rings: readonly (readonly number[])[], x: number, y: number) {
  let best = { distance: Infinity, ring: -1, side: -1 };
  rings.forEach((ring, at) => {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const distance = segmentDistance(x, y, ring[j]!, ring[j + 1]!, ring[i]!, ring[i + 1]!);
      if (distance < best.distance) best = { distance, ring: at, side: j / 2 };
    }
  });
  return best;
}

/** How a point meets a geometry. `reach` is how far from a line counts as on it, in image pixels. */
export function hit(g: Geometry, x: number, y: number, reach: number): "edge" | "inside" | null {
  const b = boundsOf(g);
  if (x < b.x0 - reach || x > b.x1 + reach || y < b.y0 - reach || y > b.y1 + reach) return null;
  switch (g.type) {
    case "mask":
      return spansOf(g).has(x, y) ? "inside" : null;
    case "keypoints":
      for (let i = 0; i < g.points.length; i += 3) {
        const near = Math.hypot(g.points[i]! - x, g.points[i + 1]! - y) <= reach * 1.6;
        if (g.points[i + 2] && near) return "edge";
      }
      return x >= b.x0 && x <= b.x1 && y >= b.y0 && y <= b.y1 ? "inside" : null;
    default: {
      const rings = ringsOf(g);
      if (nearestSide(rings, x, y).distance <= reach) return "edge";
      const solid = g.type === "polygon" ? g.rings : rings;
      if (!solid.some((ring) => insideRing(ring, x, y))) return null;
      return g.type === "polygon" && g.holes?.some((ring) => insideRing(ring, x, y)) ? null : "inside";
    }
  }
}

/** The same, moved. Masks move by whole pixels. */
export function translate(g: Geometry, dx: number, dy: number): Geometry {
  switch (g.type) {
    case "box":
      return { ...g, x: g.x + dx, y: g.y + dy };
    case "polygon": {
      const move = (ring: readonly number[]) => ring.map((value, i) => value + (i % 2 ? dy : dx));
      return { ...g, rings: g.rings.map(move), holes: (g.holes ?? []).map(move) };
    }
    case "ellipse":
      return { ...g, cx: g.cx + dx, cy: g.cy + dy };
    case "mask":
      return spansOf(g).moved(Math.round(dx), Math.round(dy)).toMask();
    case "keypoints":
      return {
        ...g,
        points: g.points.map((value, i) =>
          i % 3 === 2 || !g.points[i - (i % 3) + 2] ? value : value + (i % 3 ? dy : dx),
        ),
        box: g.box ? { ...g.box, x: g.box.x + dx, y: g.box.y + dy } : (g.box ?? null),
      };
  }
}

/** A move cut short so that these bounds stay on the image (or do not leave it further). */
export function keepOn(image: Size, b: Bounds, dx: number, dy: number): Point {
  return {
    x: Math.max(Math.min(0, -b.x0), Math.min(dx, Math.max(0, image.width - b.x1))),
    y: Math.max(Math.min(0, -b.y0), Math.min(dy, Math.max(0, image.height - b.y1))),
  };
}

/** The nearest point that is on the image. */
export function clampPoint(image: Size, x: number, y: number): Point {
  return { x: Math.min(image.width, Math.max(0, x)), y: Math.min(image.height, Math.max(0, y)) };
}

/** A box of two corners, or null where it would have no area. */
export function boxFrom(ax: number, ay: number, bx: number, by: number): Box | null {
  const width = Math.abs(bx - ax);
  const height = Math.abs(by - ay);
  if (!(width > 0 && height > 0)) return null;
  return { type: "box", x: Math.min(ax, bx), y: Math.min(ay, by), width, height };
}

/** Drop points that lie closer than `tolerance` to the line through their neighbours (Ramer-Douglas-Peucker). */
export function simplify(ring: readonly number[], tolerance: number): number[] {
  const n = ring.length / 2;
  if (n < 4) return ring.slice();
  const keep = new Uint8Array(n);
  keep[0] = keep[n - 1] = 1;
  const stack = [[0, n - 1]];
  while (stack.length) {
    const [a, b] = stack.pop() as [number, number];
    let far = 0;
    let at = -1;
    for (let i = a + 1; i < b; i += 1) {
      const d = segmentDistance(
        ring[2 * i]!,
        ring[2 * i + 1]!,
        ring[2 * a]!,
        ring[2 * a + 1]!,
        ring[2 * b]!,
        ring[2 * b + 1]!,
      );
      if (d > far) {
        far = d;
        at = i;
      }
    }
    if (far > tolerance && at > 0) {
      keep[at] = 1;
      stack.push([a, at], [at, b]);
    }
  }
  const out: number[] = [];
  for (let i = 0; i < n; i += 1) if (keep[i]) out.push(ring[2 * i]!, ring[2 * i + 1]!);
  return out;
}

/** Insert a corner after corner `side` of ring `ring`; rings are counted through rings, then holes. */
export function insertVertex(g: Polygon, ring: number, side: number, x: number, y: number): Polygon {
  return withRing(g, ring, (values) => [
    ...values.slice(0, 2 * side + 2),
    x,
    y,
    ...values.slice(2 * side + 2),
  ]);
}

/** Take a corner away; null if a ring of three would lose one (a hole then goes as a whole). */
export function deleteVertex(g: Polygon, ring: number, vertex: number): Polygon | null {
  const values = [...g.rings, ...(g.holes ?? [])][ring];
  if (!values) return g;
  if (values.length > 6)
    return withRing(g, ring, (each) => [...each.slice(0, 2 * vertex), ...each.slice(2 * vertex + 2)]);
  if (ring >= g.rings.length)
    return { ...g, holes: (g.holes ?? []).filter((_, i) => i !== ring - g.rings.length) };
  return g.rings.length > 1 ? { ...g, rings: g.rings.filter((_, i) => i !== ring) } : null;
}

export function moveVertex(g: Polygon, ring: number, vertex: number, x: number, y: number): Polygon {
  return withRing(g, ring, (values) => {
    const moved = values.slice();
    moved[2 * vertex] = x;
    moved[2 * vertex + 1] = y;
    return moved;
  });
}

function withRing(g: Polygon, ring: number, change: (values: number[]) => number[]): Polygon {
  const holes = g.holes ?? [];
  if (ring < g.rings.length)
    return { ...g, holes, rings: g.rings.map((each, i) => (i === ring ? change(each) : each)) };
  const hole = ring - g.rings.length;
  return { ...g, holes: holes.map((each, i) => (i === hole ? change(each) : each)) };
}
