import { describe, expect, it } from "vitest";
import { decodeRuns, paintMask, sampleMask } from "./mask";

/** Write runs as COCO does, to read them back. */
function encode(runs: number[]): string {
  let text = "";
  runs.forEach((run, i) => {
    let value = i > 2 ? run - runs[i - 2]! : run;
    let more = true;
    while (more) {
      let part = value & 0x1f;
      value >>= 5;
      more = part & 0x10 ? value !== -1 : value !== 0;
      if (more) part |= 0x20;
      text += String.fromCharCode(part + 48);
    }
  });
  return text;
}

describe("masks", () => {
  it("are read as COCO writes them", () => {
    const runs = [5, 3, 100000, 7, 2, 0, 33, 900, 1];
    expect(decodeRuns(encode(runs))).toEqual(runs);
  });

  it("are sampled in the part that a tile shows", () => {
    // 4 wide, 3 high; painted: column 1 whole, and the lowest pixel of column 2
    const counts = encode([3, 3, 2, 1, 3]);
    const mask = { width: 4, height: 3, counts };
    expect([...sampleMask(mask, { x: 0, y: 0, width: 4, height: 3 }, 4, 3)]).toEqual([
      0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0,
    ]);
    expect([...sampleMask(mask, { x: 1, y: 2, width: 2, height: 1 }, 2, 1)]).toEqual([1, 1]);
  });

  it("are whole where the tile is larger than the part", () => {
    const mask = { width: 4, height: 3, counts: encode([3, 3, 2, 1, 3]) };
    const found = [...sampleMask(mask, { x: 1, y: 1, width: 2, height: 2 }, 6, 4)];
    const painted = [1, 1, 1, 0, 0, 0];
    const lowest = [1, 1, 1, 1, 1, 1];
    expect(found).toEqual([...painted, ...painted, ...lowest, ...lowest]);
  });

  it("are painted with an edge, over what is there", () => {
    const picture = new Uint8ClampedArray(4 * 9);
    paintMask(picture, new Uint8Array(9).fill(1), 3, "#0a141e");
    expect([...picture.slice(16, 20)]).toEqual([10, 20, 30, 90]);
    paintMask(picture, new Uint8Array([0, 0, 0, 0, 1, 0, 0, 0, 0]), 3, "#ffffff");
    expect([...picture.slice(16, 20)]).toEqual([255, 255, 255, 255]);
    expect([...picture.slice(0, 4)]).toEqual([10, 20, 30, 90]);
  });
});
