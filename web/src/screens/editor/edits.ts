/** What the user orders to be done with labels: each order is one change set, and one step of the history. */
import { boundsOf, keepOn, translate } from "~/canvas/geometry";
import type { Geometry, Size } from "~/canvas/types";
import { type Draft, depthOf, type EditorLabel, makeLabel } from "~/editor/model";
import type { Controller } from "./controller";
import { type CopiedLabel, setUi, toggled, useUi } from "./ui";

export class Edits {
  private readonly controller: Controller;

  constructor(controller: Controller) {
    this.controller = controller;
  }

  private get all(): readonly EditorLabel[] {
    return this.controller.document?.store.all() ?? [];
  }

  private apply(put: readonly EditorLabel[], remove: readonly string[] = []): void {
    this.controller.document?.store.apply("user", { put, remove });
  }

  /** The selected labels that may be changed. */
  private selected(): EditorLabel[] {
    if (!this.controller.canEdit()) return [];
    const { selection, locked } = useUi.getState();
    return selection.flatMap((key) =>
      locked.has(key) ? [] : (this.controller.document?.store.get(key) ?? []),
    );
  }

  /** Choose a class: for a shape that waits for one, for the selection, and for what comes next. */
  chooseClass(name: string): void {
    const { controller } = this;
    const { picker, recent } = useUi.getState();
    if (name && !controller.classes.has(name)) controller.onNewClass(name);
    const latest = [name, ...recent.filter((each) => each !== name)].slice(0, 12);
    setUi({ activeClass: name, picker: null, menu: null, recent: latest });
    if (picker?.geometry) {
      controller.add(picker.geometry, name, picker.madeWith);
      return;
    }
    if (controller.predictions.acceptSelected(name)) return;
    this.apply(
      this.selected()
        .filter((label) => label.className !== name)
        .map((label) => ({ ...label, className: name })),
    );
  }

  remove(): void {
    const { controller } = this;
    if (controller.engine?.back() || controller.predictions.dismissSelected()) return;
    this.apply(
      [],
      this.selected().map((label) => label.key),
    );
  }

  removeKeys(keys: readonly string[]): void {
    const { locked } = useUi.getState();
    if (this.controller.canEdit())
      this.apply(
        [],
        keys.filter((key) => !locked.has(key)),
      );
  }

  duplicate(): void {
    this.insert(
      this.selected()
        .filter((label) => label.geometry)
        .map(copied),
      true,
    );
  }

  /** Keep the selected labels for `paste`, here or on another image. Returns how many. */
  copy(): number {
    const { selection } = useUi.getState();
    const labels = selection.flatMap((key) => this.controller.document?.store.get(key) ?? []);
    if (labels.length) setUi({ clipboard: labels.map(copied) });
    return labels.length;
  }

  /** Returns how many could be put on this image; a mask needs one of its own size. */
  paste(): number {
    const { clipboard } = useUi.getState();
    const geometries = new Set(this.all.map((label) => label.geometry));
    const taken = clipboard.some((each) => each.geometry !== null && geometries.has(each.geometry));
    return this.insert(clipboard, taken);
  }

  /** Make labels like these. `aside`: a little beside, so that they do not lie on what they were made of. */
  private insert(items: readonly CopiedLabel[], aside: boolean): number {
    const { controller } = this;
    const { image, document } = controller;
    if (!image || !document || !controller.canEdit()) return 0;
    const by = aside ? Math.max(2, Math.round(controller.engine?.reach(12) ?? 10)) : 0;
    const there = new Set(this.all.flatMap((label) => (label.geometry ? [] : label.className)));
    const put = items.flatMap(({ className, geometry, attributes }) => {
      const placed = geometry && placeOn(image, geometry, by);
      if (geometry ? !placed : there.has(className)) return [];
      const draft: Draft = {
        imageId: image.id,
        field: document.field,
        className,
        geometry: placed,
        attributes,
      };
      return makeLabel(draft);
    });
    this.apply(put);
    if (put.length) controller.select(put.map((label) => label.key));
    return put.length;
  }

  /** Move the selection; steps that follow each other quickly are undone as one. */
  nudge(dx: number, dy: number): void {
    const { image, document } = this.controller;
    if (!image || !document) return;
    const changes = this.selected().flatMap((label) => {
      if (!label.geometry) return [];
      const by = keepOn(image, boundsOf(label.geometry), dx, dy);
      return { key: label.key, geometry: translate(label.geometry, by.x, by.y) };
    });
    if (changes.length) document.history.together("nudge", () => this.controller.change(changes));
  }

  /** To the front (above all others) or to the back. */
  order(to: "front" | "back"): void {
    const depths = this.all.map(depthOf);
    const depth = to === "front" ? Math.max(0, ...depths) + 1 : Math.min(0, ...depths) - 1;
    const put = this.selected().map((label) => ({
      ...label,
      attributes: { ...label.attributes, z_order: depth },
    }));
    this.apply(put);
  }

  /** The class of the whole image: on or off. */
  toggleImageClass(name: string): void {
    if (!this.controller.canEdit() || !name) return;
    const there =
      this.controller.document?.store.all().filter((label) => !label.geometry && label.className === name) ??
      [];
    if (there.length)
      this.apply(
        [],
        there.map((label) => label.key),
      );
    else this.controller.add(null, name);
  }

  toggleHidden(keys: readonly string[]): void {
    setUi({ hidden: toggled(useUi.getState().hidden, keys) });
  }

  toggleLocked(keys: readonly string[]): void {
    const { locked } = useUi.getState();
    setUi({ locked: toggled(locked, keys) });
  }

  selectAll(): void {
    const { hidden, locked } = useUi.getState();
    const all = this.all;
    this.controller.select(
      all
        .filter((each) => each.geometry && !hidden.has(each.key) && !locked.has(each.key))
        .map((each) => each.key),
    );
  }

  /** The label (then: the prediction) after the selected one, or before it. */
  step(by: 1 | -1): void {
    const { controller } = this;
    const labels = this.all.filter((label) => label.geometry).map((label) => label.key);
    const ghosts = controller.predictions.shownKeys();
    const keys = [...labels, ...ghosts];
    if (!keys.length) return;
    const { selection, learning } = useUi.getState();
    const at = keys.indexOf(selection[0] ?? "");
    const first = by < 0 ? keys.length - 1 : learning && ghosts.length ? labels.length : 0;
    const next = keys[at < 0 ? first : (at + by + keys.length) % keys.length]!;
    controller.select([next]);
    controller.engine?.reveal(next);
  }

  undo(): void {
    if (this.controller.engine?.activeTool !== "select" && this.controller.engine?.tool.back()) return;
    this.afterHistory(this.controller.document?.history.undo() ?? []);
  }

  redo(): void {
    this.afterHistory(this.controller.document?.history.redo() ?? []);
  }

  private afterHistory(keys: readonly string[]): void {
    const there = keys.filter((key) => this.controller.document?.store.get(key)?.geometry);
    if (there.length) this.controller.select(there);
  }
}

function copied({ className, geometry, attributes }: EditorLabel): CopiedLabel {
  return { className, geometry, attributes };
}

/** The geometry on this image, moved as far as it must to lie on it; null if it does not fit. */
function placeOn(image: Size, geometry: Geometry, by: number): Geometry | null {
  if (geometry.type === "mask" && (geometry.width !== image.width || geometry.height !== image.height))
    return null;
  const b = boundsOf(geometry);
  if (b.x1 - b.x0 > image.width || b.y1 - b.y0 > image.height) return null;
  const x = shift(b.x0, b.x1, image.width, by);
  const y = shift(b.y0, b.y1, image.height, by);
  return x || y ? translate(geometry, x, y) : geometry;
}

/** How far a span is moved: by `by`, or the other way where there is no room, and so that it lies in 0 ... end. */
function shift(low: number, high: number, end: number, by: number): number {
  const way = high + by > end && low >= by ? -by : by;
  return Math.min(end - high, Math.max(-low, way));
}
