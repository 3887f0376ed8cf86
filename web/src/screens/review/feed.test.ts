import { describe, expect, it } from "vitest";
import { Feed, type FetchPage } from "./feed";

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
const numbers =
  (count: number, from = 0): FetchPage<number> =>
  async (after, limit) => {
    const start = after ? Number(after) : 0;
    const items = Array.from({ length: Math.min(limit, count - start) }, (_, i) => from + start + i);
    return { items, next: start + limit < count ? String(start + limit) : null };
  };

describe("Feed", () => {
  it("grows page by page to its end", async () => {
    const feed = new Feed<number>(4);
    feed.open(numbers(10));
    expect(feed.snapshot()).toMatchObject({ empty: true, loading: true });
    await tick();
    expect(feed.snapshot()).toMatchObject({ items: [0, 1, 2, 3], more: true, empty: false, edition: 1 });
    feed.more();
    feed.more();
    await tick();
    expect(feed.snapshot().items).toHaveLength(8);
    feed.more();
    await tick();
    expect(feed.snapshot()).toMatchObject({ more: false, loading: false });
    expect(feed.snapshot().items.at(-1)).toBe(9);
    feed.more();
    expect(feed.snapshot().loading).toBe(false);
  });

  it("keeps the old list until the new one is there, and drops answers that come too late", async () => {
    const feed = new Feed<number>(4);
    feed.open(numbers(4));
    await tick();
    let late: (value: { items: number[]; next: null }) => void = () => {};
    feed.open(() => new Promise((resolve) => (late = resolve)));
    expect(feed.snapshot()).toMatchObject({ stale: true, items: [0, 1, 2, 3] });
    feed.open(numbers(4, 50));
    await tick();
    late({ items: [7], next: null });
    await tick();
    expect(feed.snapshot()).toMatchObject({ stale: false, items: [50, 51, 52, 53], edition: 2 });
  });

  it("reads again without moving, and tries again after an error", async () => {
    const feed = new Feed<number>(2);
    feed.open(numbers(6));
    await tick();
    feed.more();
    await tick();
    feed.open(numbers(6));
    await tick();
    const { edition } = feed.snapshot();
    feed.refresh();
    await tick();
    expect(feed.snapshot()).toMatchObject({ edition, items: [0, 1] });
    feed.open(async () => {
      throw new Error("away");
    });
    await tick();
    expect(feed.snapshot()).toMatchObject({ stale: true, error: new Error("away"), items: [0, 1] });
    feed.open(numbers(6));
    await tick();
    expect(feed.snapshot()).toMatchObject({ stale: false, error: null });
  });
});
