/**
 * Thumbnails for a grid, many with one request. Asked for one by one, forty requests cost the browser and the server more
 * than the forty pictures do. What is in sight goes first; what nobody wants any more before its turn is not asked for;
 * what came is kept for scrolling back, up to a bound.
 */
import { BASE } from "./client";
import { isAbort } from "./errors";
import type { ThumbnailSize } from "./media";

type Told = (address: string | null) => void;

interface Wanted {
  id: number;
  near: boolean;
  told: Set<Told>;
}

/** Images of one request, and requests at a time: the next one is sent while the last one is being shown. */
const BATCH = 24;
const AT_ONCE = 2;
const KEPT = 800;
const AGAIN_MS = 2000;

/** The thumbnails of one project in one size. */
export class Thumbnails {
  private readonly kept = new Map<number, string>();
  private readonly waiting = new Map<number, Wanted>();
  private readonly flying = new Set<{ wanted: Map<number, Wanted>; end: AbortController }>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly project: number,
    private readonly size: ThumbnailSize,
    private readonly ask: typeof fetch = (...rest) => fetch(...rest),
  ) {}

  /** The address of a picture that is there already. */
  peek(id: number): string | undefined {
    return this.kept.get(id);
  }

  /** Want a picture; `told` hears its address, or null if it cannot be shown. Returns what ends the wish. */
  want(id: number, near: boolean, told: Told): () => void {
    const there = this.kept.get(id);
    if (there !== undefined) {
      this.kept.delete(id);
      this.kept.set(id, there); // used last, so given up last
      told(there);
      return () => {};
    }
    const wanted = this.find(id) ?? { id, near, told: new Set<Told>() };
    wanted.near ||= near;
    wanted.told.add(told);
    if (!this.isFlying(id)) {
      this.waiting.set(id, wanted);
      this.soon(0);
    }
    return () => {
      wanted.told.delete(told);
      if (wanted.told.size > 0) return;
      this.waiting.delete(id);
      for (const flight of this.flying) {
        if ([...flight.wanted.values()].every((each) => each.told.size === 0)) flight.end.abort();
      }
    };
  }

  private find(id: number): Wanted | undefined {
    for (const { wanted } of this.flying) if (wanted.has(id)) return wanted.get(id);
    return this.waiting.get(id);
  }

  private isFlying(id: number): boolean {
    return [...this.flying].some(({ wanted }) => wanted.has(id));
  }

  /** Tiles come one by one within a frame: wait for all of them. */
  private soon(after: number): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.send();
    }, after);
  }

  private send(): void {
    while (this.flying.size < AT_ONCE && this.waiting.size > 0) {
      const all = [...this.waiting.values()];
      const near = all.filter((each) => each.near);
      const batch = (near.length ? near : all).slice(0, BATCH);
      for (const each of batch) this.waiting.delete(each.id);
      void this.fly(new Map(batch.map((each) => [each.id, each])));
    }
  }

  private async fly(wanted: Map<number, Wanted>): Promise<void> {
    const flight = { wanted, end: new AbortController() };
    this.flying.add(flight);
    try {
      const answer = await this.ask(`${BASE}/projects/${this.project}/images/thumbnails`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        credentials: "same-origin",
        body: JSON.stringify({ ids: [...wanted.keys()], size: this.size }),
        signal: flight.end.signal,
      });
      if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`);
      await readLines(answer.body, (id, picture) => this.came(wanted, id, picture));
      for (const each of wanted.values()) for (const told of each.told) told(null); // not there
      wanted.clear();
    } catch (error) {
      // Wanted again meanwhile, or the server is away: ask once more.
      for (const each of wanted.values()) if (each.told.size > 0) this.waiting.set(each.id, each);
      this.flying.delete(flight);
      this.soon(isAbort(error) ? 0 : AGAIN_MS);
      return;
    }
    this.flying.delete(flight);
    this.send();
  }

  private came(wanted: Map<number, Wanted>, id: number, picture: string): void {
    let address: string | null = null;
    if (picture) {
      // The picture within its address: to make an object URL the page waits for another process, for each tile.
      address = `data:image/jpeg;base64,${picture}`;
      this.kept.set(id, address);
      for (const old of this.kept.keys()) {
        if (this.kept.size <= KEPT) break;
        this.kept.delete(old);
      }
    }
    for (const told of wanted.get(id)?.told ?? []) told(address);
    wanted.delete(id);
  }
}

/** Read lines as they come: the image's id, a blank, the picture in base64. */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  each: (id: number, picture: string) => void,
): Promise<void> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const blank = line.indexOf(" ");
      each(Number(line.slice(0, blank)), line.slice(blank + 1));
    }
  }
}

const known = new Map<string, Thumbnails>();
const latest = new Map<number, Thumbnails>();

/** The thumbnails of a project in a size. Those of one project and size at a time are kept. */
export function thumbnailsOf(project: number, size: ThumbnailSize): Thumbnails {
  const name = `${project} ${size}`;
  const found = known.get(name) ?? new Thumbnails(project, size);
  known.set(name, found);
  latest.set(project, found);
  return found;
}

/** Ask for pictures that tiles will want as soon as they are drawn, in the size that tiles wanted last. */
export function foresee(project: number, ids: readonly number[]): void {
  for (const id of ids) latest.get(project)?.want(id, true, () => {});
}
