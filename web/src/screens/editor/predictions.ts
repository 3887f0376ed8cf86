/**
 * What becomes of predictions: each is accepted (a label is made of it), dismissed, or left lying. Those of an image
 * are there again when one comes back to it, and undo of an acceptance brings the prediction back.
 */
import type { Prediction } from "~/api";
import type { Geometry } from "~/canvas/types";
import { makeLabel } from "~/editor/model";
import type { ChangeSet } from "~/editor/store";
import type { Controller } from "./controller";
import { GHOST, passes } from "./shapes";
import { type Predictions, setUi, useUi } from "./ui";

const KEPT = 100; // images

export class PredictionDesk {
  private readonly controller: Controller;
  private readonly kept = new Map<number, Predictions>();
  /** By the key of the label that was made of it. */
  private readonly accepted = new Map<string, Prediction>();
  private asked: { readonly imageId: number; wanted: boolean } | null = null;

  constructor(controller: Controller) {
    this.controller = controller;
  }

  /** Those of an image that were not accepted or dismissed yet. */
  of(imageId: number): Predictions | null {
    return this.kept.get(imageId) ?? null;
  }

  /** Predictions have come, for the open image or for one that was left meanwhile. */
  set(next: Predictions): void {
    this.kept.delete(next.imageId);
    if (next.items.length) this.kept.set(next.imageId, next);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value!);
    if (this.controller.image?.id === next.imageId) setUi({ predictions: next });
  }

  /** To be called before a model is asked: gives what takes its answer, which is dropped if the image is cleared meanwhile. */
  ask(imageId: number): (answer: Omit<Predictions, "imageId">) => void {
    const asked = { imageId, wanted: true };
    this.asked = asked;
    return (answer) => {
      if (asked.wanted) this.set({ imageId, ...answer });
    };
  }

  clear(): void {
    const { image } = this.controller;
    if (this.asked && this.asked.imageId === image?.id) this.asked.wanted = false;
    if (image) this.kept.delete(image.id);
    setUi({ predictions: null, selection: this.withoutGhosts() });
  }

  private withoutGhosts(): readonly string[] {
    return useUi.getState().selection.filter((key) => !key.startsWith(GHOST));
  }

  /** The prediction behind a shape's key. */
  at(key: string): Prediction | undefined {
    return key.startsWith(GHOST)
      ? useUi.getState().predictions?.items[Number(key.slice(GHOST.length))]
      : undefined;
  }

  /** Predictions that the threshold lets through. */
  shown(): Prediction[] {
    const { predictions, threshold } = useUi.getState();
    return (predictions?.items ?? []).filter((item) => passes(item, threshold));
  }

  /** Keys of the shapes of those that can be seen. */
  shownKeys(): string[] {
    const { predictions, threshold, showPredictions } = useUi.getState();
    return (predictions?.items ?? []).flatMap((item, i) =>
      showPredictions && item.geometry && passes(item, threshold) ? GHOST + i : [],
    );
  }

  private selected(): Prediction[] {
    return useUi.getState().selection.flatMap((key) => this.at(key) ?? []);
  }

  /** Make labels of predictions (one step of the history), under another class if one is given. Returns how many. */
  accept(items: readonly Prediction[], className?: string): number {
    const { predictions } = useUi.getState();
    const { document, image, readOnly } = this.controller;
    if (!predictions || !document || !image || readOnly || !items.length) return 0;
    const whole = new Set(document.store.all().flatMap((label) => (label.geometry ? [] : label.className)));
    const put = items
      .filter((item) => item.geometry || !whole.has(className ?? item.class_name))
      .map((item) => {
        const label = makeLabel({
          imageId: image.id,
          field: document.field,
          className: className ?? item.class_name,
          geometry: item.geometry as Geometry | null,
          confidence: item.confidence,
          attributes: item.attributes,
          predictedBy: predictions.by,
        });
        this.accepted.set(label.key, item);
        return label;
      });
    document.store.apply("user", { put });
    this.leave(items);
    return put.length;
  }

  dismiss(items: readonly Prediction[]): void {
    this.leave(items);
  }

  /** Returns whether predictions were selected. The next one is selected then, so that one key goes through them all. */
  acceptSelected(className?: string): boolean {
    const items = this.selected();
    const next = this.after(items);
    if (!items.length || this.controller.readOnly) return false;
    this.accept(items, className);
    this.selectItem(next);
    return true;
  }

  dismissSelected(): boolean {
    const items = this.selected();
    const next = this.after(items);
    if (!items.length) return false;
    this.dismiss(items);
    this.selectItem(next);
    return true;
  }

  private after(items: readonly Prediction[]): Prediction | undefined {
    const all = this.shown().filter((item) => item.geometry);
    const at = all.indexOf(items.at(-1) as Prediction);
    const rest = [...all.slice(at + 1), ...all.slice(0, Math.max(0, at))];
    return rest.find((item) => !items.includes(item));
  }

  private selectItem(item: Prediction | undefined): void {
    const at = item ? (useUi.getState().predictions?.items.indexOf(item) ?? -1) : -1;
    this.controller.select(at >= 0 ? [GHOST + at] : []);
    if (at >= 0) this.controller.engine?.reveal(GHOST + at);
  }

  private leave(items: readonly Prediction[]): void {
    const { predictions } = useUi.getState();
    if (!predictions) return;
    const gone = new Set(items);
    setUi({ selection: [] }); // keys of predictions are places in their list
    this.replace({ ...predictions, items: predictions.items.filter((item) => !gone.has(item)) });
  }

  private replace(next: Predictions): void {
    this.set(next);
    if (!next.items.length) setUi({ predictions: null });
  }

  /** Undo brings accepted predictions back, redo takes them again. */
  follow({ created, deleted }: ChangeSet): void {
    const back = deleted.flatMap((label) => this.accepted.get(label.key) ?? []);
    const taken = new Set(created.flatMap((label) => this.accepted.get(label.key) ?? []));
    const by = [...deleted, ...created].find((label) => label.predictedBy)?.predictedBy;
    const { image } = this.controller;
    if (!(back.length || taken.size) || !by || !image) return;
    const now = useUi.getState().predictions ?? { imageId: image.id, items: [], by, seconds: 0 };
    const items = [...now.items.filter((item) => !taken.has(item) && !back.includes(item)), ...back];
    this.replace({ ...now, items });
  }
}
