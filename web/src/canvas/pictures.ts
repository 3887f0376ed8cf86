/** Decoded pictures: the one on screen and its neighbours, fetched ahead, given up when there are too many. */
import type { Size } from "./types";

export interface Picture extends Size {
  /** The whole picture, then half, quarter ... of it. */
  levels: readonly ImageBitmap[];
}

/** Why a picture cannot be shown, and what to do. */
export class PictureError extends Error {
  readonly detail: string;
  readonly remedy: string;
  /** Whether the server did not answer: then it is worth another try. */
  readonly lost: boolean;

  constructor(detail: string, remedy: string, lost: boolean) {
    super(detail);
    this.name = "PictureError";
    this.detail = detail;
    this.remedy = remedy;
    this.lost = lost;
  }
}

interface Entry {
  url: string;
  id: number;
  promise: Promise<Picture>;
  picture: Picture | null;
}

interface Answer {
  id: number;
  width: number;
  height: number;
  levels?: ImageBitmap[];
  error?: string;
  remedy?: string;
  lost?: boolean;
}

const ROOM = 480 * 1024 * 1024;
const MOST = 12;

export class Pictures {
  private readonly entries = new Map<string, Entry>();
  private readonly settle = new Map<
    number,
    { resolve(picture: Picture): void; reject(error: Error): void }
  >();
  private worker: Worker | null = null;
  private next = 0;
  private shown = "";

  /** The picture if it is decoded already. */
  peek(url: string): Picture | null {
    return this.entries.get(url)?.picture ?? null;
  }

  /** Fetch and decode, once for each address. `show`: it is the one on screen, which is never given up. */
  load(url: string, show = false): Promise<Picture> {
    if (show) this.shown = url;
    const known = this.entries.get(url);
    if (known) {
      this.entries.delete(url);
      this.entries.set(url, known);
      return known.promise;
    }
    const id = this.next++;
    const promise = new Promise<Picture>((resolve, reject) => this.settle.set(id, { resolve, reject }));
    const entry: Entry = { url, id, promise, picture: null };
    this.entries.set(url, entry);
    promise.then(
      (picture) => {
        entry.picture = picture;
        this.makeRoom();
      },
      () => this.entries.get(url) === entry && this.entries.delete(url),
    );
    this.start().postMessage({ id, url: new URL(url, location.href).href });
    return promise;
  }

  close(): void {
    for (const { picture } of this.entries.values()) for (const level of picture?.levels ?? []) level.close();
    this.entries.clear();
    this.worker?.terminate();
    this.worker = null;
  }

  private start(): Worker {
    if (!this.worker) {
      this.worker = new Worker(new URL("./picture-worker.ts", import.meta.url), { type: "module" });
      this.worker.onmessage = (event: MessageEvent<Answer>) => this.receive(event.data);
    }
    return this.worker;
  }

  private receive({ id, width, height, levels, error, remedy, lost }: Answer): void {
    const waiting = this.settle.get(id);
    this.settle.delete(id);
    if (levels) waiting?.resolve({ width, height, levels });
    else
      waiting?.reject(new PictureError(error ?? "The picture cannot be shown.", remedy ?? "", lost ?? false));
  }

  private makeRoom(): void {
    const bytes = ({ picture }: Entry) => (picture ? picture.width * picture.height * 5.4 : 0);
    let all = [...this.entries.values()].reduce((sum, entry) => sum + bytes(entry), 0);
    for (const entry of [...this.entries.values()]) {
      if (all <= ROOM && this.entries.size <= MOST) return;
      if (!entry.picture || entry.url === this.shown) continue;
      all -= bytes(entry);
      this.entries.delete(entry.url);
      for (const level of entry.picture.levels) level.close();
    }
  }
}

/** The level that is just fine enough for this scale (device pixels per image pixel). */
export function levelFor(picture: Picture, scale: number): ImageBitmap {
  let at = 0;
  while (at + 1 < picture.levels.length && scale * 2 ** (at + 1) <= 1) at += 1;
  return picture.levels[at]!;
}
