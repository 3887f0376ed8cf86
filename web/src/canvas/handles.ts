/** The handles of a shape: where they are and what dragging one does. */
import { boundsOf, clampPoint, insertVertex, moveVertex, radians } from "./geometry";
import { tidy2 } from "./tool";
import type { Box, Ellipse, Geometry, Point, Size } from "./types";

export interface Handle extends Point {
  /** `nw`, `e` ... of a box; `v:ring:vertex` and `m:ring:side` (makes a corner) of a polygon; `rx`, `turn`; `k:index`. */
  id: string;
  shape: "square" | "round" | "middle" | "point" | "hidden-point";
  cursor: string;
  name: string;
}

const CORNERS = ["nw", "n", "ne", "e", "se", "s", "sw", "w"] as const;

/** All handles, in the order in which they are drawn. `spacing` in image pixels: middles of shorter sides are left out. */
export function handlesOf(g: Geometry, spacing: number, names: readonly string[] = []): Handle[] {
  switch (g.type) {
    case "box":
      return CORNERS.map((id) => ({
        id,
        x: id.includes("w") ? g.x : id.includes("e") ? g.x + g.width : g.x + g.width / 2,
        y: id.includes("n") ? g.y : id.includes("s") ? g.y + g.height : g.y + g.height / 2,
        shape: "square",
        cursor: `${id}-resize`,
        name: id,
      }));
    case "polygon":
      return polygonHandles([...g.rings, ...(g.holes ?? [])], spacing);
    case "ellipse":
      return ellipseHandles(g, spacing);
    case "keypoints": {
      const found: Handle[] = [];
      for (let i = 0; i < g.points.length; i += 3) {
        const seen = g.points[i + 2]!;
        if (!seen) continue;
        const name = names[i / 3] ?? `${i / 3 + 1}`;
        const shape = seen === 1 ? "hidden-point" : "point";
        found.push({ id: `k:${i / 3}`, x: g.points[i]!, y: g.points[i + 1]!, shape, cursor: "move", name });
      }
      return found;
    }
    case "mask":
      return [];
  }
}

function polygonHandles(rings: readonly number[][], spacing: number): Handle[] {
  const middles: Handle[] = [];
  const corners: Handle[] = [];
  rings.forEach((ring, at) => {
    for (let i = 0; i < ring.length; i += 2) {
      const [x, y] = [ring[i]!, ring[i + 1]!];
      const next = (i + 2) % ring.length;
      const [nx, ny] = [ring[next]!, ring[next + 1]!];
      corners.push({
        id: `v:${at}:${i / 2}`,
        x,
        y,
        shape: "round",
        cursor: "move",
        name: `corner ${i / 2 + 1}`,
      });
      if (Math.hypot(nx - x, ny - y) > spacing) {
        const id = `m:${at}:${i / 2}`;
        middles.push({
          id,
          x: (x + nx) / 2,
          y: (y + ny) / 2,
          shape: "middle",
          cursor: "copy",
          name: "new corner",
        });
      }
    }
  });
  return [...middles, ...corners];
}

function ellipseHandles(g: Ellipse, spacing: number): Handle[] {
  const turn = radians(g.angle);
  const at = (across: number, down: number): Point => ({
    x: g.cx + across * Math.cos(turn) - down * Math.sin(turn),
    y: g.cy + across * Math.sin(turn) + down * Math.cos(turn),
  });
  const round = (id: string, name: string, point: Point, cursor = "move"): Handle => ({
    id,
    name,
    shape: "round",
    cursor,
    ...point,
  });
  return [
    round("rx", "width", at(g.rx, 0)),
    round("-rx", "width", at(-g.rx, 0)),
    round("ry", "height", at(0, g.ry)),
    round("-ry", "height", at(0, -g.ry)),
    round("turn", "turn", at(0, -g.ry - spacing), "grab"),
  ];
}

export interface DragOptions {
  image: Size;
  /** Keep the proportions of a box, make an ellipse a circle, turn in steps of 15 degrees. */
  even: boolean;
  /** Change both sides at once. */
  central: boolean;
  snap: boolean;
}

/** The geometry after the handle was dragged from where it was in `g` to x, y. */
export function dragHandle(g: Geometry, id: string, x: number, y: number, options: DragOptions): Geometry {
  const p = id === "turn" ? { x, y } : clampPoint(options.image, x, y);
  if (options.snap) {
    p.x = Math.round(p.x);
    p.y = Math.round(p.y);
  }
  switch (g.type) {
    case "box":
      return dragBox(g, id, p, options);
    case "polygon": {
      const [kind, ring, index] = id.split(":");
      if (kind === "v") return moveVertex(g, Number(ring), Number(index), p.x, p.y);
      return insertVertex(g, Number(ring), Number(index), p.x, p.y);
    }
    case "ellipse":
      return dragEllipse(g, id, p, options);
    case "keypoints": {
      const points = g.points.slice();
      const at = 3 * Number(id.slice(2));
      points[at] = p.x;
      points[at + 1] = p.y;
      return { ...g, points, box: null };
    }
    case "mask":
      return g;
  }
}

/** After the first move of a middle handle the new corner is what is dragged. */
export function afterInsert(id: string): string {
  const [kind, ring, side] = id.split(":");
  return kind === "m" ? `v:${ring}:${Number(side) + 1}` : id;
}

function dragBox(g: Box, id: string, p: Point, { even, central, image }: DragOptions): Box {
  const b = { ...boundsOf(g) };
  if (id.includes("w")) b.x0 = p.x;
  if (id.includes("e")) b.x1 = p.x;
  if (id.includes("n")) b.y0 = p.y;
  if (id.includes("s")) b.y1 = p.y;
  if (central) {
    const cx = g.x + g.width / 2;
    const cy = g.y + g.height / 2;
    if (/[we]/.test(id)) {
      const half = Math.min(Math.abs(p.x - cx), cx, image.width - cx);
      b.x0 = cx - half;
      b.x1 = cx + half;
    }
    if (/[ns]/.test(id)) {
      const half = Math.min(Math.abs(p.y - cy), cy, image.height - cy);
      b.y0 = cy - half;
      b.y1 = cy + half;
    }
  } else if (even && id.length === 2) {
    const scale = Math.max(Math.abs(b.x1 - b.x0) / g.width, Math.abs(b.y1 - b.y0) / g.height);
    if (id.includes("w")) b.x0 = b.x1 - g.width * scale;
    else b.x1 = b.x0 + g.width * scale;
    if (id.includes("n")) b.y0 = b.y1 - g.height * scale;
    else b.y1 = b.y0 + g.height * scale;
  }
  const least = 0.01;
  return {
    ...g,
    x: Math.min(b.x0, b.x1),
    y: Math.min(b.y0, b.y1),
    width: Math.max(least, tidy2(Math.abs(b.x1 - b.x0))),
    height: Math.max(least, tidy2(Math.abs(b.y1 - b.y0))),
  };
}

function dragEllipse(g: Ellipse, id: string, p: Point, { even }: DragOptions): Ellipse {
  const dx = p.x - g.cx;
  const dy = p.y - g.cy;
  if (id === "turn") {
    let angle = (Math.atan2(dy, dx) * 180) / Math.PI + 90;
    if (even) angle = Math.round(angle / 15) * 15;
    return { ...g, angle: tidy2(((angle % 360) + 360) % 360) };
  }
  const turn = radians(g.angle);
  const across = tidy2(Math.max(0.5, Math.abs(dx * Math.cos(turn) + dy * Math.sin(turn))));
  const down = tidy2(Math.max(0.5, Math.abs(-dx * Math.sin(turn) + dy * Math.cos(turn))));
  if (id.endsWith("rx")) return { ...g, rx: across, ry: even ? across : g.ry };
  return { ...g, ry: down, rx: even ? down : g.rx };
}
