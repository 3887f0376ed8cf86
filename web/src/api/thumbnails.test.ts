import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { foresee, readLines, Thumbnails, thumbnailsOf } from "./thumbnails";

const bytes = (text: string) => new TextEncoder().encode(text);

function streamOf(...parts: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(bytes(part));
      controller.close();
    },
  });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server that answers when it is told to. */
function server() {
  const asked: { ids: number[]; signal: AbortSignal; answer: (text: string) => void; refuse: () => void }[] =
    [];
  const ask = ((_: string, init: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      const signal = init.signal as AbortSignal;
      signal.addEventListener("abort", () => reject(new DOMException("over", "AbortError")));
      asked.push({
        ids: JSON.parse(init.body as string).ids,
        signal,
        answer: (text) => resolve(new Response(text)),
        refuse: () => reject(new TypeError("no network")),
      });
    })) as typeof fetch;
  return { asked, ask };
}

test("lines are read however they are cut", async () => {
  const found: [number, string][] = [];
  await readLines(streamOf("7 /9j", "/aa==\n12", " \n3 /9j/b\n"), (id, picture) => found.push([id, picture]));
  expect(found).toEqual([
    [7, "/9j/aa=="],
    [12, ""],
    [3, "/9j/b"],
  ]);
});

test("one request for all tiles of a frame, those in sight first", async () => {
  const { asked, ask } = server();
  const thumbnails = new Thumbnails(1, 256, ask);
  const told = vi.fn();
  thumbnails.want(1, false, told);
  for (let id = 2; id < 40; id += 1) thumbnails.want(id, true, told);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked.map((each) => each.ids.length)).toEqual([24, 14]);
  expect(asked.flatMap((each) => each.ids)).not.toContain(1);
  asked[0]!.answer(asked[0]!.ids.map((id) => `${id} /9j/\n`).join(""));
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toHaveBeenCalledTimes(24);
  expect(told).toHaveBeenCalledWith("data:image/jpeg;base64,/9j/");
  expect(asked[2]?.ids).toEqual([1]);
});

test("what is there is told at once, what cannot be shown as null", async () => {
  const { asked, ask } = server();
  const thumbnails = new Thumbnails(1, 256, ask);
  const told = vi.fn();
  for (const id of [1, 2, 3]) thumbnails.want(id, true, (address) => told(id, address));
  await vi.advanceTimersByTimeAsync(1);
  asked[0]!.answer("1 /9j/\n2 \n");
  await vi.advanceTimersByTimeAsync(1);
  expect(told.mock.calls).toEqual([
    [1, "data:image/jpeg;base64,/9j/"],
    [2, null],
    [3, null],
  ]);
  thumbnails.want(1, true, (address) => told("again", address));
  expect(told).toHaveBeenLastCalledWith("again", "data:image/jpeg;base64,/9j/");
});

test("a request that nobody waits for any more is ended", async () => {
  const { asked, ask } = server();
  const thumbnails = new Thumbnails(1, 256, ask);
  const ends = [1, 2].map((id) => thumbnails.want(id, true, () => {}));
  await vi.advanceTimersByTimeAsync(1);
  ends[0]!();
  expect(asked[0]!.signal.aborted).toBe(false);
  ends[1]!();
  expect(asked[0]!.signal.aborted).toBe(true);
  const late = thumbnails.want(3, true, () => {});
  late();
  await vi.advanceTimersByTimeAsync(10);
  expect(asked.length).toBe(1);
});

test("while the server is away it is asked again", async () => {
  const { asked, ask } = server();
  const thumbnails = new Thumbnails(1, 256, ask);
  const told = vi.fn();
  thumbnails.want(5, true, told);
  await vi.advanceTimersByTimeAsync(1);
  asked[0]!.refuse();
  await vi.advanceTimersByTimeAsync(3000);
  expect(asked[1]?.ids).toEqual([5]);
  asked[1]!.answer("5 /9j/\n");
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toHaveBeenCalledExactlyOnceWith("data:image/jpeg;base64,/9j/");
});

test("what will be drawn is asked for before, in the size of the tiles, and only once", async () => {
  const asked: { ids: number[]; size: number }[] = [];
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    asked.push(JSON.parse(String(init.body)));
    return new Response("7 /9j/\n8 /9j/\n");
  });
  foresee(99, [7]); // nobody has drawn a tile of this project yet
  const tiles = thumbnailsOf(99, 512);
  foresee(99, [7, 8]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toEqual([{ ids: [7, 8], size: 512 }]);
  const told = vi.fn();
  tiles.want(7, true, told);
  expect(told).toHaveBeenCalledExactlyOnceWith("data:image/jpeg;base64,/9j/");
  vi.unstubAllGlobals();
});
