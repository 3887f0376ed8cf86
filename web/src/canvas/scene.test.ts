import { expect, test } from "vitest";
import { Grid } from "./grid";
import { Scene } from "./scene";
import type { Bounds, Shape } from "./types";
import { fitView, keepInSight, toImage, toScreen, zoomAt } from "./view";

function shape(key: string, x: number, y: number, size: number, more: Partial<Shape> = {}): Shape {
  const geometry = { type: "box" as const, x, y, width: size, height: size };
  return {
    key,
    geometry,
    color: "#ff0000",
    text: key,
    z: 0,
    ghost: false,
    hidden: false,
    locked: false,
    skeleton: [],
    pointNames: [],
    ...more,
  };
}

test("the grid finds what a look at all finds, through any changes", () => {
  const grid = new Grid();
  const all = new Map<string, Bounds>();
  let seed = 3;
  const random = () => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  for (let i = 0; i < 2000; i += 1) {
    const key = `s${Math.floor(random() * 600)}`;
    if (random() < 0.2) {
      grid.take(key);
      all.delete(key);
      continue;
    }
    const side = random() < 0.05 ? 3000 * random() : 60 * random();
    const [x, y] = [random() * 4000 - 50, random() * 4000 - 50];
    const b = { x0: x, y0: y, x1: x + side, y1: y + side * random() };
    grid.put(key, b);
    all.set(key, b);
  }
  expect(grid.size).toBe(all.size);
  for (let i = 0; i < 50; i += 1) {
    const [x, y, side] = [random() * 4000, random() * 4000, random() * 1500];
    const q = { x0: x, y0: y, x1: x + side, y1: y + side };
    const slow = [...all].filter(([, b]) => b.x0 <= q.x1 && q.x0 <= b.x1 && b.y0 <= q.y1 && q.y0 <= b.y1);
    expect(grid.query(q).sort()).toEqual(slow.map(([key]) => key).sort());
  }
});

test("shapes come in their order: by height, then as they came; a change keeps the place", () => {
  const scene = new Scene();
  scene.put(shape("a", 0, 0, 10), shape("b", 5, 5, 10), shape("c", 2, 2, 10, { z: -1 }));
  scene.put(shape("a", 1, 1, 10));
  expect(scene.query({ x0: 0, y0: 0, x1: 50, y1: 50 }).map((each) => each.key)).toEqual(["c", "a", "b"]);
  scene.put(shape("b", 5, 5, 10, { hidden: true }));
  expect(scene.query({ x0: 0, y0: 0, x1: 50, y1: 50 }).map((each) => each.key)).toEqual(["c", "a"]);
});

test("a change tells the old place and the new one; very many tell all", () => {
  const scene = new Scene();
  const told: (Bounds | null)[] = [];
  scene.put(shape("a", 0, 0, 10));
  scene.onDirty((part) => told.push(part));
  scene.put(shape("a", 100, 100, 10));
  expect(told).toEqual([
    { x0: 0, y0: 0, x1: 10, y1: 10 },
    { x0: 100, y0: 100, x1: 110, y1: 110 },
  ]);
  told.length = 0;
  scene.remove("a", "never was");
  expect(told).toHaveLength(1);
  told.length = 0;
  scene.put(...Array.from({ length: 100 }, (_, i) => shape(`m${i}`, i, i, 5)));
  expect(told).toEqual([null]);
});

const image = { width: 4000, height: 3000 };
const stage = { width: 1200, height: 800 };

test("an image fits, in the middle; an icon grows by whole steps, but not without end", () => {
  const view = fitView(image, stage, 0);
  expect(view.scale).toBeCloseTo(800 / 3000);
  expect(toScreen(view, 2000, 1500)).toEqual({ x: 600, y: 400 });
  expect(fitView({ width: 64, height: 64 }, stage).scale).toBe(12);
  expect(fitView({ width: 4, height: 4 }, stage).scale).toBe(16);
});

test("zooming keeps what is under the pointer, within limits", () => {
  const before = fitView(image, stage, 0);
  const at = { x: 300, y: 200 };
  const after = zoomAt(before, at, 3, image, stage);
  expect(toImage(after, at.x, at.y).x).toBeCloseTo(toImage(before, at.x, at.y).x);
  expect(zoomAt(before, at, 1e9, image, stage).scale).toBe(80);
  expect(zoomAt(before, at, 1e-9, image, stage).scale).toBeGreaterThan(0.05);
});

test("an image cannot be pushed off the stage", () => {
  const lost = keepInSight({ scale: 0.1, x: 99999, y: -99999 }, image, stage);
  expect(lost).toMatchObject({ x: 1200 - 48, y: 48 - 300 });
});
