import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { colourMask } from "./mask-colour";
import { decodeCounts, encodeCounts } from "./rle";
import { Spans, snapBrush } from "./spans";

interface Fixture {
  name: string;
  width: number;
  height: number;
  counts: string;
  runs: number[];
  area: number;
  bounds: [number, number, number, number];
}

const fixtures = JSON.parse(
  readFileSync(new URL("./fixtures/masks.json", import.meta.url), "utf8"),
) as Fixture[];

test.each(fixtures)(
  "the Python package's mask is read and written the same: $name",
  ({ width, height, counts, runs, area, bounds }) => {
    expect(decodeCounts(counts)).toEqual(runs);
    expect(encodeCounts(runs)).toBe(counts);
    const spans = Spans.fromMask({ type: "mask", width, height, counts });
    expect(spans.area()).toBe(area);
    expect(spans.toMask().counts).toBe(counts);
    const b = spans.bounds();
    expect(b ? [b.x0, b.y0, b.x1 - b.x0, b.y1 - b.y0] : [0, 0, 0, 0]).toEqual(bounds);
  },
);

test("damaged counts are an error, not a hang", () => {
  expect(() => decodeCounts("\u0001")).toThrow(RangeError);
});

function painted(spans: Spans): string[] {
  return Array.from({ length: spans.height }, (_, y) =>
    Array.from({ length: spans.width }, (_, x) => (spans.has(x, y) ? "#" : ".")).join(""),
  );
}

test("a stroke paints the pixels whose centre is inside, as brute force finds them", () => {
  const strokes = [
    [4.2, 5.1, 20.7, 13.3, 5],
    [25, 2, 25, 17, 3],
    [2, 18, 28, 18, 1],
    [14, 9, 14, 9, 11],
    [-5, -5, 3, 3, 6],
  ] as const;
  for (const [ax, ay, bx, by, d] of strokes) {
    const spans = new Spans(30, 20);
    spans.stroke(ax, ay, bx, by, d, true);
    for (let y = 0; y < 20; y += 1) {
      for (let x = 0; x < 30; x += 1) {
        const [dx, dy] = [bx - ax, by - ay];
        const t = Math.min(
          1,
          Math.max(0, ((x + 0.5 - ax) * dx + (y + 0.5 - ay) * dy) / (dx * dx + dy * dy || 1)),
        );
        const distance = Math.hypot(x + 0.5 - ax - t * dx, y + 0.5 - ay - t * dy);
        if (Math.abs(distance - d / 2) > 1e-6) expect(spans.has(x, y), `${x},${y}`).toBe(distance < d / 2);
      }
    }
  }
});

test("many strokes of brush and eraser are what painting pixels would give", () => {
  const spans = new Spans(40, 30);
  const pixels = new Uint8Array(40 * 30);
  let seed = 7;
  const random = () => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  for (let i = 0; i < 200; i += 1) {
    const [x, y, d, paint] = [random() * 44 - 2, random() * 34 - 2, 1 + random() * 9, random() < 0.6];
    spans.stroke(x, y, x, y, d, paint);
    for (let r = 0; r < 30; r += 1) {
      for (let c = 0; c < 40; c += 1) {
        if ((c + 0.5 - x) ** 2 + (r + 0.5 - y) ** 2 <= (d / 2) ** 2 + 1e-9)
          pixels[r * 40 + c] = paint ? 1 : 0;
      }
    }
  }
  const expected = Array.from({ length: 30 }, (_, r) =>
    [...pixels.slice(r * 40, r * 40 + 40)].map((v) => (v ? "#" : ".")).join(""),
  );
  expect(painted(spans)).toEqual(expected);
  expect(painted(Spans.fromMask(spans.toMask()))).toEqual(expected);
});

test("a brush of one pixel paints the pixel under the pointer", () => {
  const spans = new Spans(5, 5);
  const [x, y] = [snapBrush(2.9, 1), snapBrush(1.1, 1)];
  spans.stroke(x, y, x, y, 1, true);
  expect(spans.area()).toBe(1);
  expect(spans.has(2.9, 1.1)).toBe(true);
});

test("a moved mask is cut off at the edges of the image", () => {
  const spans = new Spans(6, 4);
  spans.stroke(2, 2, 2, 2, 4, true);
  expect(painted(spans.moved(-2, 1))).toEqual(["......", "#.....", "##....", "##...."]);
});

test("what is touched is told, and nothing for a stroke beside the image", () => {
  const spans = new Spans(100, 100);
  expect(spans.stroke(50, 50, 60, 50, 4, true)).toEqual({ x0: 48, y0: 48, x1: 62, y1: 52 });
  expect(spans.stroke(-50, 50, -60, 50, 4, true)).toBeNull();
});

test("a mask is coloured where it is painted, with a darker edge", () => {
  const spans = new Spans(20, 20);
  spans.stroke(10, 10, 10, 10, 9, true);
  const made = colourMask({
    width: 20,
    height: 20,
    counts: spans.toMask().counts,
    color: "#ff8000",
    step: 1,
  })!;
  expect([made.x, made.y, made.width, made.height]).toEqual([6, 6, 8, 8]);
  const at = (x: number, y: number) => [
    ...made.pixels.slice(4 * (y * made.columns + x), 4 * (y * made.columns + x) + 4),
  ];
  expect(at(4, 4)).toEqual([255, 128, 0, 115]);
  expect(at(4, 0)[3]).toBe(230);
  expect(at(0, 0)[3]).toBe(0);
  expect(
    colourMask({ width: 20, height: 20, counts: spans.toMask().counts, color: "#ff8000", step: 4 })!.columns,
  ).toBe(2);
  expect(
    colourMask({ width: 2, height: 2, counts: encodeCounts([4]), color: "#ff8000", step: 1 }),
  ).toBeNull();
});
