/** Undo and redo without limit: an observer of a store that keeps what the user changed and puts it back. */
import type { EditorLabel } from "./model";
import type { ChangeSet, LabelStore } from "./store";

const JOIN_MS = 800;

export class History {
  private done: ChangeSet[] = [];
  private undone: ChangeSet[] = [];
  private readonly store: LabelStore;
  /** What the last step was made of, and when: steps of one name that follow each other quickly are one. */
  private last = { name: "", at: 0 };
  private name = "";
  private readonly listeners = new Set<() => void>();

  constructor(store: LabelStore) {
    this.store = store;
    store.observe((changes) => {
      if (changes.cause !== "user") return;
      if (!this.join(changes)) this.done.push(changes);
      this.last = { name: this.name, at: Date.now() };
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

  /** What changes within `work` is one step with what the last call of this name changed, if that is not long ago. */
  together(name: string, work: () => void): void {
    this.name = name;
    try {
      work();
    } finally {
      this.name = "";
    }
  }

  private join(changes: ChangeSet): boolean {
    const before = this.done.at(-1);
    const { name, at } = this.last;
    if (!this.name || this.name !== name || Date.now() - at > JOIN_MS || this.undone.length || !before)
      return false;
    const onlyUpdates = (each: ChangeSet) => !each.created.length && !each.deleted.length;
    const from = new Map(before.updated.map((each) => [each.after.key, each.before]));
    const same =
      changes.updated.length === before.updated.length &&
      changes.updated.every((each) => from.has(each.after.key));
    if (!onlyUpdates(before) || !onlyUpdates(changes) || !same) return false;
    const updated = changes.updated.map(({ after }) => ({ before: from.get(after.key)!, after }));
    this.done[this.done.length - 1] = { ...changes, updated };
    return true;
  }

  /** A class has another name: what is put back has it too. */
  renameClass(from: string, to: string): void {
    const label = (each: EditorLabel) => (each.className === from ? { ...each, className: to } : each);
    const step = (changes: ChangeSet): ChangeSet => ({
      cause: changes.cause,
      created: changes.created.map(label),
      deleted: changes.deleted.map(label),
      updated: changes.updated.map((each) => ({ before: label(each.before), after: label(each.after) })),
    });
    this.done = this.done.map(step);
    this.undone = this.undone.map(step);
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
  const helped = from.madeWith === to.madeWith ? now.madeWith : (to.madeWith ?? null);
  return {
    ...now,
    ...(helped !== undefined && { madeWith: helped }),
    className: from.className === to.className ? now.className : to.className,
    geometry: from.geometry === to.geometry ? now.geometry : to.geometry,
    attributes: from.attributes === to.attributes ? now.attributes : to.attributes,
  };
}
