/** Undo and redo without limit: an observer of a store that keeps what the user changed and puts it back. */
import type { EditorLabel } from "./model";
import type { ChangeSet, LabelStore } from "./store";

export class History {
  private done: ChangeSet[] = [];
  private undone: ChangeSet[] = [];
  private readonly store: LabelStore;
  private readonly listeners = new Set<() => void>();

  constructor(store: LabelStore) {
    this.store = store;
    store.observe((changes) => {
      if (changes.cause !== "user") return;
      this.done.push(changes);
      this.undone = [];
      this.tell();
    });
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Take the last step back. Returns the keys of the labels that it touched. */
  undo(): readonly string[] {
    const changes = this.done.pop();
    if (!changes) return [];
    this.undone.push(changes);
    return this.restore(
      [...changes.deleted, ...changes.updated.map((each) => each.before)],
      changes.created.map((label) => label.key),
      changes,
      "before",
    );
  }

  redo(): readonly string[] {
    const changes = this.undone.pop();
    if (!changes) return [];
    this.done.push(changes);
    return this.restore(
      [...changes.created, ...changes.updated.map((each) => each.after)],
      changes.deleted.map((label) => label.key),
      changes,
      "after",
    );
  }

  private restore(
    put: EditorLabel[],
    remove: string[],
    changes: ChangeSet,
    side: "before" | "after",
  ): readonly string[] {
    const other = side === "before" ? "after" : "before";
    const updates = new Map(changes.updated.map((each) => [each[side].key, each]));
    const restored = put
      .map((label) => {
        const now = this.store.get(label.key);
        const update = updates.get(label.key);
        if (now && update) return withContent(now, update[other], label);
        // It was deleted: the server makes it again, as another label.
        return (now ?? update === undefined) ? { ...label, id: null, version: null } : null;
      })
      .filter((label): label is EditorLabel => label !== null);
    const { created, updated, deleted } = this.store.apply("history", { put: restored, remove });
    this.tell();
    return [...created, ...deleted, ...updated.map((each) => each.after)].map((label) => label.key);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** The label as it is now (its id and version may be newer), with only that put back which the step had changed. */
function withContent(now: EditorLabel, from: EditorLabel, to: EditorLabel): EditorLabel {
  return {
    ...now,
    className: from.className === to.className ? now.className : to.className,
    geometry: from.geometry === to.geometry ? now.geometry : to.geometry,
    attributes: from.attributes === to.attributes ? now.attributes : to.attributes,
  };
}
