/**
 * Verdicts on single labels: shown at once, sent one after the other, taken back from the last one on. What the server
 * refuses is shown as it was before. No React, no requests of its own: `Sender` does those.
 */
import type { LabelState } from "~/api";

export interface Mark {
  state: LabelState;
  /** The class that it was given here; undefined: its own. */
  className?: string;
}

export type Marks = ReadonlyMap<number, Mark>;

export type Verdict =
  | { kind: "promote" }
  | { kind: "reject" }
  | { kind: "reopen" }
  | { kind: "relabel"; className: string };

export interface Sender {
  /** Send it; return the numbers of the changes that it made. */
  send(verdict: Verdict, ids: readonly number[]): Promise<number[]>;
  undo(change: number): Promise<void>;
}

const STATE: Record<Verdict["kind"], LabelState> = {
  promote: "promoted",
  reject: "rejected",
  reopen: "proposed",
  relabel: "promoted",
};

interface Step {
  ids: readonly number[];
  before: ReadonlyMap<number, Mark | undefined>;
  verdict: Verdict;
  changes: number[];
}

export class Desk {
  private marks = new Map<number, Mark>();
  private shown: Marks = new Map();
  private done: Step[] = [];
  private queue: Promise<void> = Promise.resolve();
  private readonly listeners = new Set<() => void>();
  /** Numbers of changes that were made here: their events are no news. */
  readonly own = new Set<number>();

  constructor(
    private readonly sender: Sender,
    private readonly settled: () => void,
    private readonly failed: (verdict: Verdict | "undo", ids: readonly number[], error: unknown) => void,
  ) {}

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = () => this.shown;

  /** Whether there is something to take back. */
  get undoable(): boolean {
    return this.done.length > 0;
  }

  decide(verdict: Verdict, ids: readonly number[]): void {
    if (ids.length === 0) return;
    const step: Step = {
      ids,
      before: new Map(ids.map((id) => [id, this.marks.get(id)])),
      verdict,
      changes: [],
    };
    for (const id of ids) {
      const className = verdict.kind === "relabel" ? verdict.className : this.marks.get(id)?.className;
      this.marks.set(id, { state: STATE[verdict.kind], ...(className === undefined ? {} : { className }) });
    }
    this.done.push(step);
    this.tell();
    this.enqueue(async () => {
      try {
        step.changes = await this.sender.send(verdict, ids);
        for (const change of step.changes) this.own.add(change);
      } catch (error) {
        this.restore(step);
        this.done = this.done.filter((each) => each !== step);
        this.failed(verdict, ids, error);
      }
    });
  }

  /** Take back the last step; returns its labels, or null where there is none. */
  undo(): readonly number[] | null {
    const step = this.done.pop();
    if (!step) return null;
    this.restore(step);
    this.tell();
    this.enqueue(async () => {
      try {
        for (const change of step.changes.toReversed()) await this.sender.undo(change);
      } catch (error) {
        for (const id of step.ids) this.marks.set(id, { state: STATE[step.verdict.kind] });
        this.failed("undo", step.ids, error);
      }
    });
    return step.ids;
  }

  /** Forget what was decided: the lists are read anew. */
  clear(): void {
    this.marks.clear();
    this.tell();
  }

  /** When everything so far is sent. */
  idle(): Promise<void> {
    return this.queue;
  }

  private restore(step: Step): void {
    for (const [id, mark] of step.before) {
      if (mark) this.marks.set(id, mark);
      else this.marks.delete(id);
    }
  }

  private enqueue(work: () => Promise<void>): void {
    this.queue = this.queue.then(work).then(() => {
      this.tell();
      this.settled();
    });
  }

  private tell(): void {
    this.shown = new Map(this.marks);
    for (const listener of this.listeners) listener();
  }
}
