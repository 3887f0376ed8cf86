import { describe, expect, it } from "vitest";
import { decodeRuns, sampleMask } from "./mask";

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
});
