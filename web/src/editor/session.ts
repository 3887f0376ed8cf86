/**
 * A person's work on the images of one project: the labels of each image that was opened, their history, what is not
 * saved yet, and what others changed meanwhile. Requests are made by those that it is given.
 */
import type { BatchResult, Label, LabelBatch } from "~/api/generated";
import { History } from "./history";
import { type EditorLabel, fromServer, newKey } from "./model";
import { type Conflict, type Keep, Outbox, type Pending, type SaveState } from "./outbox";
import { LabelStore } from "./store";

/** The labels of one image in one field. */
export interface ImageDocument {
  readonly imageId: number;
  readonly field: string;
  readonly store: LabelStore;
  readonly history: History;
  loaded: boolean;
}

export interface Server {
  labels(imageId: number, field: string): Promise<readonly Label[]>;
  send(batch: LabelBatch): Promise<BatchResult>;
  isAway(error: unknown): boolean;
}

interface Entry extends ImageDocument {
  /** When (counted in answers) the server last told of a label. An older list does not know better. */
  told: Map<number, number>;
}

const SAVED: SaveState = { phase: "saved", count: 0, retryAt: 0, kept: true, problem: "" };

export class EditorSession {
  readonly outbox: Outbox;
  saveState: SaveState = SAVED;
  private readonly server: Server;
  private readonly documents = new Map<string, Entry>();
  private readonly conflicts = new Map<string, Conflict>();
  private readonly listeners = new Set<() => void>();
  private readonly ownChanges = new Set<number>();
  private clock = 0;
  private classNames: ReadonlyMap<number, string> = new Map();
  private conflictList: readonly Conflict[] = [];

  constructor(server: Server, keep: Keep) {
    this.server = server;
    this.outbox = new Outbox({
      keep,
      newKey,
      send: async (batch) => {
        const answer = await server.send(batch);
        for (const id of answer.change_ids) this.ownChanges.add(id);
        return answer;
      },
      isAway: (error) => server.isAway(error),
      saved: (item, result) => this.saved(item, result.label),
      conflict: (conflict) => this.addConflict(conflict),
      state: (state) => {
        this.saveState = state;
        this.tell();
      },
    });
  }

  /** Be told when the state of saving or the conflicts change. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Whether a change in the history was made from here. */
  isOwn(changeId: number): boolean {
    return this.ownChanges.has(changeId);
  }

  /** The classes of the project, as they are now: labels follow when one was given another name. */
  setClasses(classes: readonly { id: number; name: string }[]): void {
    const before = this.classNames;
    this.classNames = new Map(classes.map((each) => [each.id, each.name]));
    for (const { id, name } of classes) {
      const old = before.get(id);
      if (old !== undefined && old !== name) this.renameClass(old, name);
    }
  }

  private renameClass(from: string, to: string): void {
    this.outbox.renameClass(from, to);
    for (const { store, history } of this.documents.values()) {
      history.renameClass(from, to);
      const named = store.all().filter((label) => label.className === from);
      store.apply("server", { put: named.map((label) => ({ ...label, className: to })) });
    }
  }

  document(imageId: number, field: string): ImageDocument {
    const name = `${imageId} ${field}`;
    let entry = this.documents.get(name);
    if (!entry) {
      const store = new LabelStore();
      entry = { imageId, field, store, history: new History(store), loaded: false, told: new Map() };
      store.observe((changes) => {
        this.outbox.add(changes);
        if (changes.cause !== "server") this.dropRefused(changes.deleted);
      });
      this.documents.set(name, entry);
      this.restore(entry, []);
    }
    return entry;
  }

  /** Fetch the labels and bring the document up to date. Throws what the request throws. */
  async load(imageId: number, field: string): Promise<ImageDocument> {
    const entry = this.document(imageId, field) as Entry;
    const asked = this.clock;
    const labels = await this.server.labels(imageId, field);
    this.reconcile(entry, labels, asked);
    return entry;
  }

  /** Take over what the server says, but for labels that were changed here and are not saved yet. */
  private reconcile(entry: Entry, labels: readonly Label[], asked: number): void {
    const { store, told } = entry;
    const wanted = labels.filter((label) => label.state !== "rejected");
    const ids = new Set(wanted.map((label) => label.id));
    const fresh = (id: number) => (told.get(id) ?? -1) > asked;
    const put: EditorLabel[] = [];
    const waiting = new Map(this.outbox.unsaved(entry.imageId).map((item) => [item.label.id, item]));
    for (const label of wanted) {
      const known = store.ofId(label.id);
      if (fresh(label.id) || waiting.has(label.id) || (known && this.outbox.isUnsaved(known.key))) continue;
      if (known?.version === label.version && known.className === label.class_name) continue;
      if (known && this.conflicts.has(known.key)) continue;
      put.push(fromServer(label, known?.key));
    }
    const gone = store.all().filter((label) => {
      if (label.id === null || ids.has(label.id) || fresh(label.id)) return false;
      return !this.outbox.isUnsaved(label.key) && !this.conflicts.has(label.key);
    });
    store.apply("server", { put, remove: gone.map((label) => label.key) });
    this.restore(entry, wanted);
    entry.loaded = true;
    this.tell();
  }

  /** Put in what was changed before the page was loaded and is not saved yet. */
  private restore(entry: Entry, labels: readonly Label[]): void {
    const put: EditorLabel[] = [];
    for (const item of this.outbox.unsaved(entry.imageId)) {
      if (item.label.field !== entry.field || item.kind === "delete" || entry.store.get(item.key)) continue;
      const there = labels.find((label) => label.id === item.label.id);
      if (item.kind === "create" || there) put.push(item.label);
    }
    if (put.length) entry.store.apply("server", { put });
  }

  private entryOf(item: Pick<Pending, "imageId" | "label">): Entry | undefined {
    return this.documents.get(`${item.imageId} ${item.label.field}`);
  }

  private saved(item: Pending, label: Label | null): void {
    this.clock += 1;
    const entry = this.entryOf(item);
    if (!entry || !label) return;
    entry.told.set(label.id, this.clock);
    const now = entry.store.get(item.key);
    // After a reload the list may hold the label already under another name.
    const twin = entry.store.ofId(label.id);
    const remove = twin && twin.key !== item.key ? [twin.key] : [];
    if (!now) {
      entry.store.apply("server", { remove });
      return;
    }
    const { version, confidence, state, origin, model } = fromServer(label);
    const put = [{ ...now, id: label.id, version, confidence, state, origin, model }];
    entry.store.apply("server", { put, remove });
    if (this.conflicts.delete(item.key)) this.tellConflicts();
  }

  private addConflict(conflict: Conflict): void {
    this.clock += 1;
    this.conflicts.set(conflict.key, conflict);
    this.tellConflicts();
  }

  /** What stands against each other, the oldest first; the same array until it changes. */
  allConflicts(): readonly Conflict[] {
    return this.conflictList;
  }

  /** Settle a conflict: the label as it is on the server, or as it was meant here. */
  resolve(key: string, keep: "mine" | "theirs"): void {
    const conflict = this.conflicts.get(key);
    if (!conflict) return;
    this.conflicts.delete(key);
    const entry = this.entryOf(conflict.mine);
    const { mine, theirs } = conflict;
    if (keep === "theirs") {
      const put = theirs && theirs.state !== "rejected" ? [fromServer(theirs, key)] : [];
      entry?.store.apply("server", put.length ? { put } : { remove: [key] });
    } else {
      const now = entry?.store.get(key) ?? mine.label;
      const label = { ...now, id: theirs?.id ?? null, version: theirs?.version ?? null };
      const kind = mine.kind === "delete" ? "delete" : theirs ? "update" : "create";
      if (mine.kind !== "delete") entry?.store.apply("server", { put: [label] });
      const fields: Pending["fields"] = kind === "update" ? ["className", "geometry", "attributes"] : [];
      if (kind !== "delete" || theirs) this.outbox.again({ ...mine, kind, label, fields });
    }
    this.tellConflicts();
  }

  /** What the server never took is deleted here: there is nothing left to settle. */
  private dropRefused(deleted: readonly EditorLabel[]): void {
    const gone = deleted.filter(({ key }) => {
      const conflict = this.conflicts.get(key);
      return conflict?.refused && !conflict.theirs && this.conflicts.delete(key);
    });
    if (gone.length) this.tellConflicts();
  }

  private tellConflicts(): void {
    if (!this.conflicts.size) this.outbox.settled();
    this.conflictList = [...this.conflicts.values()];
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
