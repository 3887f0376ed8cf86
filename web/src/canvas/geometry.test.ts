import { expect, test } from "vitest";
import {
  areaOf,
  boundsOf,
  deleteVertex,
  hit,
  insertVertex,
  keepOn,
  moveVertex,
  nearestSide,
  signedArea,
  simplify,
  translate,
} from "./geometry";
import { afterInsert, dragHandle, handlesOf } from "./handles";
import { Spans } from "./spans";
import type { Box, Ellipse, Keypoints, Polygon } from "./types";

const box: Box = { type: "box", x: 10, y: 20, width: 30, height: 40 };
const square: Polygon = {
  type: "polygon",
  rings: [[0, 0, 100, 0, 100, 100, 0, 100]],
  holes: [[40, 40, 60, 40, 60, 60, 40, 60]],
};
const ellipse: Ellipse = { type: "ellipse", cx: 50, cy: 50, rx: 40, ry: 10, angle: 90 };
const points: Keypoints = { type: "keypoints", points: [10, 10, 2, 0, 0, 0, 30, 40, 1], box: null };
const image = { width: 200, height: 150 };
const drag = { image, even: false, central: false, snap: false };

test("bounds and areas", () => {
  expect(boundsOf(box)).toEqual({ x0: 10, y0: 20, x1: 40, y1: 60 });
  expect(boundsOf(points)).toEqual({ x0: 10, y0: 10, x1: 30, y1: 40 });
  const turned = boundsOf(ellipse);
  expect(turned.x0).toBeCloseTo(40);
  expect(turned.y1).toBeCloseTo(90);
  expect(areaOf(square)).toBe(10_000 - 400);
  expect(signedArea([0, 0, 10, 0, 10, 10])).toBe(50);
});

test("a hit is on a line, inside, or nothing; holes are outside", () => {
  expect(hit(square, 1, 50, 3)).toBe("edge");
  expect(hit(square, 20, 20, 3)).toBe("inside");
  expect(hit(square, 50, 50, 3)).toBeNull();
  expect(hit(square, 150, 50, 3)).toBeNull();
  expect(hit(ellipse, 50, 80, 2)).toBe("inside");
  expect(hit(ellipse, 80, 50, 2)).toBeNull();
  expect(hit(points, 11, 11, 3)).toBe("edge");
  const spans = new Spans(30, 30);
  spans.stroke(10, 10, 10, 10, 8, true);
  const mask = spans.toMask();
  expect(hit(mask, 10, 10, 1)).toBe("inside");
  expect(hit(mask, 2, 2, 1)).toBeNull();
});

test("moving leaves points that are not there where they are", () => {
  expect(translate(points, 5, 7)).toMatchObject({ points: [15, 17, 2, 0, 0, 0, 35, 47, 1] });
  expect(translate(square, 1, 2)).toMatchObject({ rings: [[1, 2, 101, 2, 101, 102, 1, 102]] });
});

test("a move is cut short at the edge of the image, and back onto it is always allowed", () => {
  expect(keepOn(image, boundsOf(box), -50, 500)).toEqual({ x: -10, y: 90 });
  expect(keepOn(image, { x0: -20, y0: 0, x1: 10, y1: 10 }, -5, 0).x).toBe(0);
  expect(keepOn(image, { x0: -20, y0: 0, x1: 10, y1: 10 }, 5, 0).x).toBe(5);
});

test("corners are added, moved and taken away; three are the least", () => {
  const side = nearestSide(square.rings, 50, 2);
  expect(side).toMatchObject({ ring: 0, side: 0, distance: 2 });
  const more = insertVertex(square, 0, 0, 50, 2);
  expect(more.rings[0]).toEqual([0, 0, 50, 2, 100, 0, 100, 100, 0, 100]);
  expect(moveVertex(more, 0, 1, 51, 3).rings[0]!.slice(2, 4)).toEqual([51, 3]);
  expect(deleteVertex(more, 0, 1)!.rings).toEqual(square.rings);
  const triangle: Polygon = { type: "polygon", rings: [[0, 0, 1, 0, 1, 1]], holes: [] };
  expect(deleteVertex(triangle, 0, 0)).toBeNull();
  const hole: Polygon = { ...square, holes: [[1, 1, 2, 1, 2, 2]] };
  expect(deleteVertex(hole, 1, 0)!.holes).toEqual([]);
});

test("a closed line drawn by hand keeps its corners only", () => {
  const line: number[] = [];
  for (let i = 0; i <= 50; i += 1) line.push(i, 0.1 * (i % 2));
  for (let i = 1; i <= 50; i += 1) line.push(50, i);
  expect(simplify(line, 1)).toEqual([0, 0, 50, 0, 50, 50]);
});

test("box handles change their sides, over the opposite one too", () => {
  expect(handlesOf(box, 0)).toHaveLength(8);
  expect(dragHandle(box, "se", 100, 90, drag)).toMatchObject({ x: 10, y: 20, width: 90, height: 70 });
  expect(dragHandle(box, "w", 60, 0, drag)).toMatchObject({ x: 40, y: 20, width: 20, height: 40 });
  expect(dragHandle(box, "n", 0, -50, drag)).toMatchObject({ y: 0, height: 60 });
  expect(dragHandle(box, "se", 70, 61, { ...drag, even: true })).toMatchObject({ width: 60, height: 80 });
  expect(dragHandle(box, "e", 45, 0, { ...drag, central: true })).toMatchObject({ x: 5, width: 40 });
});

test("polygon handles: corners and the middles between them", () => {
  const handles = handlesOf(square, 30);
  expect(handles.filter((each) => each.shape === "round")).toHaveLength(8);
  expect(handles.filter((each) => each.shape === "middle")).toHaveLength(4); // the hole's sides are short
  const made = dragHandle(square, "m:0:3", -1, 50, drag) as Polygon;
  expect(made.rings[0]!.slice(8)).toEqual([0, 50]); // kept on the image
  expect(afterInsert("m:0:3")).toBe("v:0:4");
});

test("ellipse handles follow its turn", () => {
  const at = (id: string) => handlesOf(ellipse, 20).find((each) => each.id === id)!;
  expect(at("rx").y).toBeCloseTo(90);
  expect(at("ry").x).toBeCloseTo(40);
  expect(dragHandle(ellipse, "rx", 50, 110, drag)).toMatchObject({ rx: 60, ry: 10 });
  expect((dragHandle(ellipse, "turn", 50, 0, drag) as Ellipse).angle).toBeCloseTo(0);
});

test("a keypoint that is dragged stays visible or hidden", () => {
  expect(handlesOf(points, 0, ["a", "b", "c"]).map((each) => each.name)).toEqual(["a", "c"]);
  expect(dragHandle(points, "k:2", 31, 41, drag)).toMatchObject({ points: [10, 10, 2, 0, 0, 0, 31, 41, 1] });
});
