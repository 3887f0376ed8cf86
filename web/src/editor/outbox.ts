/**
 * What the server does not know yet. Every change goes out at once, one batch at a time; while the server is away it is
 * kept (also over a reload) and tried again. A batch has a key, so that a batch whose answer was lost is not done twice.
 * How requests are made, where things are kept and what a clock is, it is told.
 */
import type { BatchResult, Label, LabelBatch, OperationResult } from "~/api/generated";
import type { EditorLabel } from "./model";
import type { ChangeSet } from "./store";

type Operation = LabelBatch["operations"][number];

/** What shall become of one label. Later changes of the same label are folded into it until it is sent. */
export interface Pending {
  key: string;
  imageId: number;
  kind: "create" | "update" | "delete";
  /** The label as it shall be; for a deletion as it was. */
  label: EditorLabel;
  /** For an update: what was changed. */
  fields: ("className" | "geometry" | "attributes")[];
}

export interface Batch {
  key: string;
  items: Pending[];
  operations: Operation[];
}

export interface Kept {
  /** Those that were sent, or are next: without an answer so far, in order. */
  batches: Batch[];
  pending: Pending[];
}

/** Where changes are kept until the server has them. `write` returns false where there is no room. */
export interface Keep {
  read(): Kept | null;
  write(kept: Kept | null): boolean;
}

export interface Conflict {
  key: string;
  imageId: number;
  /** What was meant. */
  mine: Pending;
  /** The label as it is on the server; null: it is gone. */
  theirs: Label | null;
  /** Who changed it; empty: not known. */
  by: string;
  /** Set if the server refused instead: why, and what to do. */
  refused: { what: string; todo: string } | null;
}

export interface SaveState {
  /** `saved`: the server has all. `saving`: a batch is on its way. `waiting`: the server is away, tried again at `retryAt`. `failed`: it said no to all. */
  phase: "saved" | "saving" | "waiting" | "failed";
  /** Labels whose change the server does not have. */
  count: number;
  retryAt: number;
  /** Whether they would survive a reload. */
  kept: boolean;
  problem: string;
}

export interface Wires {
  send(batch: LabelBatch): Promise<BatchResult>;
  /** Whether an error means that the server was not reached or could not work, so that another try makes sense. */
  isAway(error: unknown): boolean;
  keep: Keep;
  newKey(): string;
  /** The server has it: the label as it is there now. `sent` is what was meant, the label may have changed since. */
  saved(item: Pending, result: OperationResult): void;
  conflict(conflict: Conflict): void;
  state(state: SaveState): void;
  now?(): number;
  later?(work: () => void, milliseconds: number): () => void;
}

const MOST = 200; // changes in a batch
const FIRST = 500;
const LONGEST = 15_000;

export class Outbox {
  private pending = new Map<string, Pending>();
  private batches: Batch[] = [];
  private sending = false;
  private failures = 0;
  private retryAt = 0;
  private kept = true;
  private problem = "";
  private stopTimer: () => void = () => {};
  private readonly wires: Wires;

  constructor(wires: Wires) {
    this.wires = wires;
    const before = wires.keep.read();
    if (!before) return;
    this.batches = [...before.batches];
    for (const item of before.pending) this.pending.set(item.key, item);
  }

  /** Labels that are not on the server as they are here, by key. Those on their way first. */
  unsaved(imageId: number): Pending[] {
    return [...this.sentItems(), ...this.pending.values()].filter((item) => item.imageId === imageId);
  }

  isUnsaved(key: string): boolean {
    return this.pending.has(key) || this.sentItems().some((item) => item.key === key);
  }

  get count(): number {
    return new Set([...this.pending.keys(), ...this.sentItems().map((item) => item.key)]).size;
  }

  private sentItems(): Pending[] {
    return this.batches.flatMap((batch) => batch.items);
  }

  /** Take up what a user changed. */
  add(changes: ChangeSet): void {
    if (changes.cause === "server") return;
    for (const label of changes.deleted)
      this.fold({ key: label.key, imageId: label.imageId, kind: "delete", label, fields: [] });
    for (const label of changes.created)
      this.fold({ key: label.key, imageId: label.imageId, kind: "create", label, fields: [] });
    for (const { before, after } of changes.updated) {
      const fields = (["className", "geometry", "attributes"] as const).filter(
        (name) => before[name] !== after[name],
      );
      if (fields.length)
        this.fold({ key: after.key, imageId: after.imageId, kind: "update", label: after, fields });
    }
    this.store();
    this.flush();
  }

  /** Put one change back in: a conflict in which mine shall stay. */
  again(item: Pending): void {
    this.fold(item);
    this.store();
    this.flush();
  }

  /** The server's version of a label became known while something waits: what waits is meant for it. */
  adopt(key: string, id: number | null, version: number | null): void {
    const item = this.pending.get(key);
    if (item) this.pending.set(key, { ...item, label: { ...item.label, id, version } });
  }

  /** What the server refused is settled: nothing is left to tell of. */
  settled(): void {
    this.problem = "";
    this.tell();
  }

  /** A class has another name: what waits says so. What is on its way says what it says. */
  renameClass(from: string, to: string): void {
    for (const [key, item] of this.pending) {
      if (item.label.className === from)
        this.pending.set(key, { ...item, label: { ...item.label, className: to } });
    }
    this.store();
  }

  private fold(item: Pending): void {
    const before = this.pending.get(item.key);
    const sent = this.sentItems().find((each) => each.key === item.key);
    this.pending.delete(item.key);
    if (before?.kind === "create" && item.kind === "delete") return; // the server never heard of it
    if (item.kind === "delete" && item.label.id === null && !sent) return; // it was refused there, or never sent
    if (before?.kind === "create" && item.kind === "update") {
      this.pending.set(item.key, { ...item, kind: "create", fields: [] });
    } else if (before?.kind === "update" && item.kind === "update") {
      this.pending.set(item.key, { ...item, fields: [...new Set([...before.fields, ...item.fields])] });
    } else if (before?.kind === "delete" && item.kind === "create") {
      // Deleted and put back before the server was told: it is changed at most.
      const label = { ...item.label, id: before.label.id, version: before.label.version };
      const known = label.id !== null || sent !== undefined;
      this.pending.set(item.key, {
        ...item,
        label,
        kind: known ? "update" : "create",
        fields: known ? ["className", "geometry", "attributes"] : [],
      });
    } else this.pending.set(item.key, item);
  }

  /** Send what waits, if nothing is on its way. `now`: without waiting for the time of the next try. */
  flush(now = false): void {
    if (this.sending || (!this.batches.length && !this.pending.size)) {
      this.tell();
      return;
    }
    if (!now && this.retryAt > this.now()) {
      this.tell();
      return;
    }
    this.stopTimer();
    if (!this.batches.length) this.nextBatch();
    void this.sendBatch(this.batches[0]!);
  }

  private nextBatch(): void {
    // Not everything at once: others wait while the server writes, and the number left shall be seen to fall.
    const items = [...this.pending.values()].slice(0, MOST);
    for (const item of items) this.pending.delete(item.key);
    const operations = items.map(operationOf);
    this.batches.push({ key: this.wires.newKey(), items, operations });
    this.store();
  }

  private async sendBatch(batch: Batch): Promise<void> {
    this.sending = true;
    this.tell();
    try {
      const answer = await this.wires.send({ key: batch.key, operations: batch.operations });
      this.sending = false;
      this.failures = 0;
      this.retryAt = 0;
      this.problem = "";
      this.batches.shift();
      for (const [i, result] of answer.results.entries()) this.settle(batch.items[i]!, result);
    } catch (error) {
      this.sending = false;
      if (this.wires.isAway(error)) return this.wait();
      this.refuse(batch, error);
    }
    this.store();
    this.flush();
  }

  private settle(item: Pending, result: OperationResult): void {
    if (result.status === "done") {
      const waiting = this.pending.get(item.key);
      if (waiting) {
        // It was changed again meanwhile; what was a creation then is known there now.
        const label = {
          ...waiting.label,
          id: result.label?.id ?? null,
          version: result.label?.version ?? null,
        };
        if (waiting.kind === "create" && item.kind !== "delete") {
          this.pending.set(item.key, {
            ...waiting,
            label,
            kind: "update",
            fields: ["className", "geometry", "attributes"],
          });
        } else this.pending.set(item.key, { ...waiting, label });
      }
      this.wires.saved(item, result);
      return;
    }
    if (this.isNoMore(item)) return;
    this.pending.delete(item.key);
    if (item.kind === "delete" && !result.label) {
      this.wires.saved(item, { ...result, status: "done" }); // gone either way
      return;
    }
    const refused =
      result.status === "refused"
        ? { what: result.problem?.detail ?? "The server refused it.", todo: result.problem?.remedy ?? "" }
        : null;
    this.wires.conflict({
      key: item.key,
      imageId: item.imageId,
      mine: item,
      theirs: result.label,
      by: result.problem?.by ?? "",
      refused,
    });
  }

  /** Whether the server refused to make what was deleted here meanwhile: then all is as it should be. */
  private isNoMore(item: Pending): boolean {
    const waiting = this.pending.get(item.key);
    return item.kind === "create" && waiting?.kind === "delete" && this.pending.delete(item.key);
  }

  /** The server refused the batch as a whole: each label is told so, nothing is sent in circles. */
  private refuse(batch: Batch, error: unknown): void {
    this.batches.shift();
    this.problem = error instanceof Error ? error.message : String(error);
    const refused = { what: this.problem, todo: (error as { remedy?: string }).remedy ?? "" };
    for (const item of batch.items) {
      if (this.isNoMore(item)) continue;
      this.wires.conflict({
        key: item.key,
        imageId: item.imageId,
        mine: item,
        theirs: null,
        by: "",
        refused,
      });
    }
  }

  private wait(): void {
    const pause = Math.min(LONGEST, FIRST * 2 ** this.failures);
    this.failures += 1;
    this.retryAt = this.now() + pause;
    const later = this.wires.later ?? timer;
    this.stopTimer();
    this.stopTimer = later(() => this.flush(true), pause);
    this.tell();
  }

  private store(): void {
    const empty = !this.batches.length && !this.pending.size;
    this.kept = this.wires.keep.write(
      empty ? null : { batches: this.batches, pending: [...this.pending.values()] },
    );
  }

  private now(): number {
    return this.wires.now?.() ?? Date.now();
  }

  private tell(): void {
    const phase =
      this.retryAt && !this.sending ? "waiting" : this.count ? "saving" : this.problem ? "failed" : "saved";
    this.wires.state({
      phase,
      count: this.count,
      retryAt: this.retryAt,
      kept: this.kept || !this.count,
      problem: this.problem,
    });
  }
}

function timer(work: () => void, milliseconds: number): () => void {
  const id = setTimeout(work, milliseconds);
  return () => clearTimeout(id);
}

function operationOf({ key, imageId, kind, label, fields }: Pending): Operation {
  const expected = label.version ?? undefined;
  if (kind === "create" || label.id === null) {
    const { className, geometry, confidence, attributes, predictedBy, madeWith, field } = label;
    const made = {
      class_name: className,
      geometry,
      confidence,
      attributes: { ...attributes },
      predicted_by: predictedBy,
      ...(madeWith && { made_with: madeWith }),
    };
    return { op: "create", client_id: key, image_id: imageId, field, label: made };
  }
  if (kind === "delete")
    return { op: "delete", label_id: label.id, client_id: key, expected_version: expected };
  const change: Extract<Operation, { op: "update" }>["change"] = { expected_version: expected };
  if (fields.includes("className")) change.class_name = label.className;
  if (fields.includes("geometry")) {
    change.geometry = label.geometry;
    if (label.madeWith !== undefined) change.made_with = label.madeWith;
  }
  if (fields.includes("attributes")) change.attributes = { ...label.attributes };
  return { op: "update", label_id: label.id, client_id: key, change };
}
