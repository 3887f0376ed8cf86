/**
 * The labels of one image in one field, as a map that tells its observers what changed. It knows nothing of undo, of
 * the server or of drawing: those are observers.
 */
import type { EditorLabel } from "./model";

/** Who changed something: the user now, the user by undo or redo, or the server. */
export type Cause = "user" | "history" | "server";

export interface Update {
  before: EditorLabel;
  after: EditorLabel;
}

export interface ChangeSet {
  cause: Cause;
  created: readonly EditorLabel[];
  updated: readonly Update[];
  deleted: readonly EditorLabel[];
}

export type Observer = (changes: ChangeSet) => void;

export interface Patch {
  put?: readonly EditorLabel[];
  remove?: readonly string[];
}

export class LabelStore {
  private labels = new Map<string, EditorLabel>();
  private readonly byId = new Map<number, string>();
  private readonly observers = new Set<Observer>();
  private version = 0;
  private sorted: { version: number; labels: readonly EditorLabel[] } | null = null;

  get size(): number {
    return this.labels.size;
  }

  get(key: string): EditorLabel | undefined {
    return this.labels.get(key);
  }

  ofId(id: number): EditorLabel | undefined {
    const key = this.byId.get(id);
    return key === undefined ? undefined : this.labels.get(key);
  }

  /** All labels in the order in which they came; the same array until something changes. */
  all(): readonly EditorLabel[] {
    if (this.sorted?.version !== this.version)
      this.sorted = { version: this.version, labels: [...this.labels.values()] };
    return this.sorted.labels;
  }

  observe(observer: Observer): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** Put labels in (or others in the place of those with the same key) and take some out: one change set. */
  apply(cause: Cause, { put = [], remove = [] }: Patch): ChangeSet {
    const created: EditorLabel[] = [];
    const updated: Update[] = [];
    const deleted: EditorLabel[] = [];
    for (const key of remove) {
      const before = this.labels.get(key);
      if (!before) continue;
      this.labels.delete(key);
      if (before.id !== null) this.byId.delete(before.id);
      deleted.push(before);
    }
    for (const after of put) {
      const before = this.labels.get(after.key);
      if (before === after) continue;
      if (before && before.id !== null && before.id !== after.id) this.byId.delete(before.id);
      this.labels.set(after.key, after);
      if (after.id !== null) this.byId.set(after.id, after.key);
      if (before) updated.push({ before, after });
      else created.push(after);
    }
    const changes: ChangeSet = { cause, created, updated, deleted };
    if (created.length || updated.length || deleted.length) {
      this.version += 1;
      for (const observer of this.observers) observer(changes);
    }
    return changes;
  }
}
