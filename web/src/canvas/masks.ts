/** Pictures of masks, made in a worker when they are first asked for and kept while there is room. */
import { boundsOf } from "./geometry";
import type { MaskPicture } from "./paint";
import type { Bounds, Mask } from "./types";

interface Kept {
  picture: MaskPicture;
  step: number;
  bytes: number;
  mask: Mask;
  color: string;
}

const ROOM = 192 * 1024 * 1024;

export class Masks {
  private readonly kept = new Map<Mask, Kept>();
  private readonly asked = new Map<number, { mask: Mask; color: string; step: number }>();
  private readonly waiting = new Map<Mask, string>();
  private readonly ready: (part: Bounds) => void;
  private worker: Worker | null = null;
  private next = 0;
  private bytes = 0;

  /** `ready` is told where a picture has come that was not there when it was asked for. */
  constructor(ready: (part: Bounds) => void) {
    this.ready = ready;
  }

  /** The picture, as fine as this scale (device pixels per image pixel) needs; null or a coarser one until it is made. */
  picture(mask: Mask, color: string, scale: number): MaskPicture | null {
    const kept = this.kept.get(mask);
    const step = stepFor(mask, scale);
    if (kept && kept.color === color && kept.step <= step) {
      this.kept.delete(mask);
      this.kept.set(mask, kept);
      return kept.picture;
    }
    this.ask(mask, color, step);
    return kept?.color === color ? kept.picture : null;
  }

  /** Forget all (another image is on screen). */
  clear(): void {
    for (const { picture } of this.kept.values()) (picture.bitmap as ImageBitmap).close();
    this.kept.clear();
    this.asked.clear();
    this.waiting.clear();
    this.bytes = 0;
  }

  close(): void {
    this.clear();
    this.worker?.terminate();
    this.worker = null;
  }

  private ask(mask: Mask, color: string, step: number): void {
    const wish = `${color} ${step}`;
    if (this.waiting.get(mask) === wish) return;
    this.waiting.set(mask, wish);
    const id = this.next++;
    this.asked.set(id, { mask, color, step });
    const { width, height, counts } = mask;
    this.start().postMessage({ id, width, height, counts, color, step });
  }

  private start(): Worker {
    if (!this.worker) {
      this.worker = new Worker(new URL("./mask-worker.ts", import.meta.url), { type: "module" });
      this.worker.onmessage = (
        event: MessageEvent<{ id: number; picture: (MaskPicture & { bitmap: ImageBitmap }) | null }>,
      ) => this.receive(event.data.id, event.data.picture);
    }
    return this.worker;
  }

  private receive(id: number, picture: (MaskPicture & { bitmap: ImageBitmap }) | null): void {
    const wish = this.asked.get(id);
    this.asked.delete(id);
    if (!wish || !picture || this.waiting.get(wish.mask) !== `${wish.color} ${wish.step}`) {
      picture?.bitmap.close();
      return;
    }
    this.waiting.delete(wish.mask);
    this.drop(wish.mask);
    const bytes = 4 * picture.bitmap.width * picture.bitmap.height;
    this.kept.set(wish.mask, { ...wish, picture, bytes });
    this.bytes += bytes;
    for (const mask of this.kept.keys()) {
      if (this.bytes <= ROOM || mask === wish.mask) break;
      this.drop(mask);
    }
    this.ready(boundsOf(wish.mask));
  }

  private drop(mask: Mask): void {
    const kept = this.kept.get(mask);
    if (!kept) return;
    (kept.picture.bitmap as ImageBitmap).close();
    this.bytes -= kept.bytes;
    this.kept.delete(mask);
  }
}

/** Zoomed out a coarser picture does; a large mask gets no more than some millions of pixels. */
function stepFor(mask: Mask, scale: number): number {
  const b = boundsOf(mask);
  let step = 1;
  while (step * 2 * scale <= 1) step *= 2;
  while (((b.x1 - b.x0) / step) * ((b.y1 - b.y0) / step) > 16e6) step *= 2;
  return step;
}
