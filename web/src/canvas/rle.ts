/**
 * COCO's run-length encoding: column-major runs, background first, written as 6-bit characters from `0` on;
 * from the third run on the difference to the run before the last (pycocotools, rleToString and rleFrString).
 */

/** Read the compressed string. Throws RangeError for what is not one. */
export function decodeCounts(counts: string): number[] {
  const runs: number[] = [];
  let at = 0;
  while (at < counts.length) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more) {
      const char = counts.charCodeAt(at) - 48;
      if (!(char >= 0 && char < 64)) throw new RangeError("a mask has a character that is no run length");
      value |= (char & 0x1f) << shift;
      more = (char & 0x20) !== 0;
      at += 1;
      shift += 5;
      if (!more && char & 0x10 && shift < 32) value |= -1 << shift;
    }
    if (runs.length > 2) value += runs[runs.length - 2]!;
    if (value < 0) throw new RangeError("a mask has a run below 0");
    runs.push(value);
  }
  return runs;
}

/** Write runs as the compressed string. */
export function encodeCounts(runs: readonly number[]): string {
  const chars: number[] = [];
  for (let i = 0; i < runs.length; i += 1) {
    let value = i > 2 ? runs[i]! - runs[i - 2]! : runs[i]!;
    let more = true;
    while (more) {
      let char = value & 0x1f;
      value >>= 5;
      more = char & 0x10 ? value !== -1 : value !== 0;
      if (more) char |= 0x20;
      chars.push(char + 48);
    }
  }
  let text = "";
  for (let i = 0; i < chars.length; i += 8192) text += String.fromCharCode(...chars.slice(i, i + 8192));
  return text;
}
