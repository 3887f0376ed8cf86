import { beforeEach, expect, test, vi } from "vitest";
import { Scene } from "../scene";
import type { Drawing, Stage, ToolEvent } from "../tool";
import type { Geometry } from "../types";
import { DragShapeTool } from "./drag-shape";
import { KeypointsTool } from "./keypoints";
import { PolygonTool } from "./polygon";

const made: Geometry[] = [];
let drawing: Drawing | null = null;
let names: string[] = [];

/** A stage of 100 x 100 pixels at scale 1, without a canvas. */
function stage(): Stage {
  const host = {
    style: () => ({ color: "#fff", pointNames: names, skeleton: [] }),
    canEdit: () => true,
    create: (geometry: Geometry) => {
      made.push(geometry);
      return "key";
    },
    drawing: (state: Drawing | null) => {
      drawing = state;
    },
    select: vi.fn(),
    hover: vi.fn(),
    hint: vi.fn(),
  };
  const image = { width: 100, height: 100 };
  const view = { scale: 1, x: 0, y: 0 };
  const rest = { selection: [], at: () => [], reach: (pixels: number) => pixels, setDraft: vi.fn() };
  return { image, stage: image, view, scene: new Scene(), host, ...rest } as unknown as Stage;
}

function at(x: number, y: number, more: Partial<ToolEvent> = {}): ToolEvent {
  const held = { shift: false, alt: false, mod: false, touch: false };
  return { x, y, sx: x, sy: y, ...held, clicks: 1, handle: null, ...more };
}

function click(tool: PolygonTool | KeypointsTool, x: number, y: number, more?: Partial<ToolEvent>): void {
  tool.down(at(x, y, more));
  tool.up(at(x, y, more));
}

beforeEach(() => {
  made.length = 0;
  drawing = null;
  names = [];
});

test("a polygon says how far it is, and is done with its first corner, Enter or a double click", () => {
  const tool = new PolygonTool(stage());
  for (const [x, y] of [
    [10, 10],
    [50, 10],
  ] as const)
    click(tool, x, y);
  expect(drawing).toMatchObject({ tool: "polygon", points: 2, enough: false });
  expect(tool.finish()).toBe(false);
  click(tool, 50, 50);
  click(tool, 30, 70);
  expect(tool.back()).toBe(true);
  expect(drawing).toMatchObject({ points: 3, enough: true });
  click(tool, 12, 12);
  expect(made).toEqual([{ type: "polygon", rings: [[10, 10, 50, 10, 50, 50]], holes: [] }]);
  expect(drawing).toBeNull();
});

test("a second finger takes back the corner of the first, and no more", () => {
  const tool = new PolygonTool(stage());
  click(tool, 10, 10);
  click(tool, 50, 10);
  tool.down(at(80, 80, { touch: true }));
  tool.drop();
  expect(drawing).toMatchObject({ points: 2 });
});

test("keypoints come in their order; one may be hidden, one left out", () => {
  names = ["head", "hand", "foot"];
  const tool = new KeypointsTool(stage());
  click(tool, 10, 10);
  expect(drawing).toMatchObject({ points: 1, total: 3, next: "hand", hidden: false });
  tool.toggleHidden();
  expect(drawing).toMatchObject({ hidden: true });
  click(tool, 20, 20);
  tool.skip();
  expect(made).toEqual([{ type: "keypoints", points: [10, 10, 2, 20, 20, 1, 0, 0, 0], box: null }]);
  expect(drawing).toBeNull();
});

test("a second finger takes back the keypoint of the first", () => {
  names = ["head", "hand", "foot"];
  const tool = new KeypointsTool(stage());
  click(tool, 10, 10);
  tool.drop(); // the press is over: nothing to take back
  expect(drawing).toMatchObject({ points: 1 });
  tool.down(at(20, 20));
  tool.drop();
  expect(drawing).toMatchObject({ points: 1 });
});

test("undo while a box is dragged gives up the drag; a box has tidy sides", () => {
  const tool = new DragShapeTool(stage(), "box");
  tool.down(at(0.1, 0.1));
  tool.move(at(30.3, 20.7));
  expect(tool.back()).toBe(true);
  tool.up(at(30.3, 20.7));
  expect(made).toEqual([]);
  tool.down(at(0.1, 0.1));
  tool.move(at(30.4, 20.7));
  tool.up(at(30.4, 20.7));
  expect(made).toEqual([{ type: "box", x: 0.1, y: 0.1, width: 30.3, height: 20.6 }]);
  expect(tool.back()).toBe(false);
});

test("what is drawn off the image ends at its edge, and nothing is made of what lies off it as a whole", () => {
  const tool = new DragShapeTool(stage(), "box");
  tool.down(at(80, 80));
  tool.move(at(150, 170));
  tool.up(at(150, 170));
  expect(made).toEqual([{ type: "box", x: 80, y: 80, width: 20, height: 20 }]);
  tool.down(at(-50, -50));
  tool.move(at(-10, 40));
  tool.up(at(-10, 40));
  expect(made).toHaveLength(1);
});
