/**
 * Pages of something in order, as one list that grows. Under a new question the old list stays until the new one is
 * there, so that nothing flashes; answers that nobody waits for are aborted. No React: `subscribe` and `snapshot`.
 */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Listed<T> {
  items: readonly T[];
  /** No page has come yet. */
  empty: boolean;
  /** The list belongs to the question before this one. */
  stale: boolean;
  loading: boolean;
  /** Whether more can be fetched. */
  more: boolean;
  error: unknown;
  /** Changes with every new list: scroll to its top. */
  edition: number;
}

export type FetchPage<T> = (after: string, limit: number, signal: AbortSignal) => Promise<Page<T>>;

const MOST = 1000;

export class Feed<T> {
  private state: Listed<T> = {
    items: [],
    empty: true,
    stale: false,
    loading: false,
    more: false,
    error: null,
    edition: 0,
  };
  private readonly listeners = new Set<() => void>();
  private fetchPage: FetchPage<T> | null = null;
  private next: string | null = null;
  private running: AbortController | null = null;

  constructor(private readonly size: number) {}

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = () => this.state;

  /** Ask anew, from the beginning. */
  open(fetchPage: FetchPage<T>): void {
    this.fetchPage = fetchPage;
    this.set({ stale: !this.state.empty });
    void this.load("", this.size, (page) => {
      this.set({ items: page.items, empty: false, stale: false, edition: this.state.edition + 1 });
    });
  }

  /** Fetch the page after the last one, unless something is on its way already. */
  more(): void {
    if (this.state.loading || this.state.stale || this.state.error !== null || this.next === null) return;
    void this.load(this.next, this.size, (page) => this.set({ items: [...this.state.items, ...page.items] }));
  }

  /** Read again what is there, where somebody else changed it; the place in the list is kept. */
  refresh(): void {
    if (!this.fetchPage) return;
    if (this.state.empty) {
      this.open(this.fetchPage);
      return;
    }
    const size = Math.min(MOST, Math.max(this.size, this.state.items.length));
    void this.load("", size, (page) => this.set({ items: page.items, stale: false }));
  }

  /** The same question again, from the beginning. */
  reopen(): void {
    if (this.fetchPage) this.open(this.fetchPage);
  }

  retry(): void {
    this.set({ error: null });
    if (this.state.empty || this.state.stale) {
      if (this.fetchPage) this.open(this.fetchPage);
    } else this.more();
  }

  /** Change what is listed here. */
  edit(change: (items: readonly T[]) => readonly T[]): void {
    this.set({ items: change(this.state.items) });
  }

  close(): void {
    this.running?.abort();
    this.running = null;
  }

  private async load(after: string, limit: number, take: (page: Page<T>) => void): Promise<void> {
    this.running?.abort();
    const mine = new AbortController();
    this.running = mine;
    this.set({ loading: true, error: null });
    try {
      const page = await this.fetchPage!(after, limit, mine.signal);
      if (this.running !== mine) return;
      this.next = page.next;
      take(page);
      this.set({ loading: false, more: page.next !== null });
    } catch (error) {
      if (this.running === mine) this.set({ loading: false, error });
    }
  }

  private set(part: Partial<Listed<T>>): void {
    this.state = { ...this.state, ...part };
    for (const listener of this.listeners) listener();
  }
}
