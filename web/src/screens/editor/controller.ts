/**
 * Between the canvas, the labels and the screen: it shows the labels of the open image as shapes, and turns what the
 * user does on the canvas or in the lists into change sets.
 */
import type { Image, LabelClass, Prediction } from "~/api";
import { Engine, type Parts } from "~/canvas/engine";
import { boundsOf, keepOn, translate } from "~/canvas/geometry";
import { Pictures } from "~/canvas/pictures";
import type { DrawStyle, Host, ToolName } from "~/canvas/tool";
import type { Geometry, Point, Shape } from "~/canvas/types";
import type { View } from "~/canvas/view";
import { depthOf, type EditorLabel, makeLabel } from "~/editor/model";
import type { EditorSession, ImageDocument } from "~/editor/session";
import type { ChangeSet } from "~/editor/store";
import { colorOf } from "~/ui/colors";
import { setUi, toggled, useUi } from "./ui";

const GHOST = "prediction ";
const WAITING = "waiting"; // a shape that was drawn before there was a class for it

export class Controller implements Host {
  readonly session: EditorSession;
  readonly pictures = new Pictures();
  engine: Engine | null = null;
  document: ImageDocument | null = null;
  image: Image | null = null;
  private classes: ReadonlyMap<string, LabelClass> = new Map();
  private readOnly = false;
  private stopObserving: () => void = () => {};
  private readonly views = new Map<number, View>();
  /** Makes a class that is not there yet. */
  onNewClass: (name: string) => void = () => {};

  constructor(session: EditorSession) {
    this.session = session;
    // What is looked at is never of another image than the one that is opened next.
    setUi({ selection: [], hovered: null, picker: null, menu: null, predictions: null, allHidden: false });
  }

  attach(parts: Parts): () => void {
    const engine = new Engine(parts, this);
    this.engine = engine;
    const { tool, names, fill } = useUi.getState();
    engine.setTool(tool);
    engine.setLook({ names, fill });
    const stop = useUi.subscribe((now, before) => this.follow(now, before));
    if (this.image) this.show(this.image);
    return () => {
      stop();
      engine.close();
      this.engine = null;
    };
  }

  close(): void {
    this.stopObserving();
    this.pictures.close();
  }

  /** Show another image (or another field of it). Its picture is set when it has come. */
  open(image: Image, document: ImageDocument, readOnly: boolean): void {
    const same = this.image?.id === image.id;
    if (!same) setUi({ predictions: null, hidden: new Set(), locked: new Set(), allHidden: false });
    setUi({ selection: [], hovered: null, picker: null, menu: null, hint: "" });
    this.readOnly = readOnly;
    this.stopObserving();
    this.image = image;
    this.document = document;
    const stop = document.store.observe((changes) => this.follow_labels(changes));
    this.stopObserving = stop;
    if (same) this.resetScene();
    else this.show(image);
  }

  private show(image: Image): void {
    this.engine?.setImage({ width: image.width, height: image.height }, this.views.get(image.id));
    this.resetScene();
  }

  setPicture(url: string): void {
    const picture = this.pictures.peek(url);
    this.engine?.setPicture(picture);
    // For tests and measurements: which image the stage shows, once its picture is there.
    if (this.engine) this.engine.element.dataset.image = picture ? String(this.image?.id ?? "") : "";
  }

  /** For measurements: this image can be shown without waiting. */
  noteReady(imageId: number): void {
    const { dataset } = this.engine?.element ?? {};
    if (dataset) dataset.ready = [imageId, ...(dataset.ready ?? "").split(" ").slice(0, 7)].join(" ");
  }

  /** Show a small picture until the large one has come. */
  setPreview(url: string): void {
    const preview = this.pictures.peek(url);
    if (preview && this.engine && !this.engine.hasPicture) this.engine.setPicture(preview);
  }

  setClasses(classes: readonly LabelClass[]): void {
    this.classes = new Map(classes.map((each) => [each.name, each]));
    const { activeClass } = useUi.getState();
    if (!this.classes.has(activeClass)) setUi({ activeClass: classes[0]?.name ?? "" });
    this.resetScene();
    this.engine?.refreshTool();
  }

  // ---- shapes -------------------------------------------------------------------------------------------------

  private resetScene(): void {
    if (!this.engine || !this.document) return;
    const shapes = this.document.store.all().flatMap((label) => this.shapeOf(label) ?? []);
    this.engine.scene.reset([...shapes, ...this.ghosts()]);
    this.engine.setSelection(useUi.getState().selection);
  }

  private follow_labels({ created, updated, deleted, cause }: ChangeSet): void {
    const { engine } = this;
    if (!engine) return;
    const gone = deleted.map((label) => label.key);
    const put: Shape[] = [];
    for (const label of [...created, ...updated.map((each) => each.after)]) {
      const shape = this.shapeOf(label);
      if (shape) put.push(shape);
      else gone.push(label.key);
    }
    engine.scene.remove(...gone);
    engine.scene.put(...put.filter((shape) => !same(engine.scene.get(shape.key), shape)));
    const { selection } = useUi.getState();
    if (gone.length && selection.some((key) => gone.includes(key))) {
      this.select(selection.filter((key) => !gone.includes(key)));
    } else if (cause !== "user") engine.setSelection(selection);
  }

  private shapeOf(label: EditorLabel): Shape | null {
    if (!label.geometry) return null;
    const { hidden, locked } = useUi.getState();
    const known = this.classes.get(label.className);
    return {
      key: label.key,
      geometry: label.geometry,
      color: known?.color ?? colorOf(label.className),
      text: label.confidence === null ? label.className : `${label.className} ${label.confidence.toFixed(2)}`,
      z: depthOf(label),
      ghost: false,
      hidden: hidden.has(label.key),
      locked: locked.has(label.key),
      skeleton: known?.skeleton ?? [],
      pointNames: known?.keypoint_names ?? [],
    };
  }

  private ghosts(): Shape[] {
    const { predictions, threshold, showPredictions } = useUi.getState();
    return (predictions?.items ?? []).flatMap((item, i) => {
      if (!item.geometry) return [];
      const known = this.classes.get(item.class_name);
      const shown = showPredictions && isShown(item, threshold);
      return {
        key: GHOST + i,
        geometry: item.geometry as Geometry,
        color: known?.color ?? colorOf(item.class_name),
        text: item.confidence === null ? item.class_name : `${item.class_name} ${item.confidence.toFixed(2)}`,
        z: 1e6,
        ghost: true,
        hidden: !shown,
        locked: false,
        skeleton: known?.skeleton ?? [],
        pointNames: known?.keypoint_names ?? [],
      };
    });
  }

  private follow(now: ReturnType<typeof useUi.getState>, before: ReturnType<typeof useUi.getState>): void {
    const { engine } = this;
    if (!engine) return;
    if (now.tool !== before.tool) engine.setTool(now.tool);
    if (now.selection !== before.selection) engine.setSelection(now.selection);
    if (now.hovered !== before.hovered) engine.setHovered(now.hovered);
    if (now.activeClass !== before.activeClass || now.brush !== before.brush) engine.refreshTool();
    engine.setLook(now);
    engine.setShapesVisible(!now.allHidden);
    if (now.brightness !== before.brightness || now.contrast !== before.contrast) {
      const plain = now.brightness === 1 && now.contrast === 1;
      engine.setPictureFilter(plain ? "" : `brightness(${now.brightness}) contrast(${now.contrast})`);
    }
    if (now.hidden !== before.hidden || now.locked !== before.locked) {
      for (const label of this.document?.store.all() ?? []) {
        const changed =
          now.hidden.has(label.key) !== before.hidden.has(label.key) ||
          now.locked.has(label.key) !== before.locked.has(label.key);
        const shape = changed ? this.shapeOf(label) : null;
        if (shape) engine.scene.put(shape);
      }
    }
    if (now.predictions !== before.predictions) {
      engine.scene.remove(
        ...[...engine.scene.all()].filter((shape) => shape.ghost).map((shape) => shape.key),
      );
      engine.scene.put(...this.ghosts());
    } else if (now.threshold !== before.threshold || now.showPredictions !== before.showPredictions) {
      engine.scene.put(
        ...this.ghosts().filter((shape) => engine.scene.get(shape.key)?.hidden !== shape.hidden),
      );
    }
    if (before.picker && !now.picker) engine.scene.remove(WAITING);
  }

  // ---- what the canvas asks and tells (Host) --------------------------------------------------------------------

  style(): DrawStyle {
    const { activeClass } = useUi.getState();
    const known = this.classes.get(activeClass);
    return {
      color: known?.color ?? (activeClass ? colorOf(activeClass) : "#9aa4b2"),
      pointNames: known?.keypoint_names ?? [],
      skeleton: known?.skeleton ?? [],
    };
  }

  brushSize(): number {
    return useUi.getState().brush;
  }

  canEdit(): boolean {
    return !this.readOnly && this.document !== null && !useUi.getState().allHidden;
  }

  create(geometry: Geometry, at: Point): string | null {
    const { activeClass } = useUi.getState();
    if (!activeClass) {
      const { color } = this.style();
      const waiting = {
        key: WAITING,
        geometry,
        color,
        text: "",
        z: 1e6,
        ghost: false,
        hidden: false,
        locked: true,
      };
      this.engine?.scene.put({ ...waiting, skeleton: [], pointNames: [] });
      setUi({ picker: { at, geometry } });
      return null;
    }
    return this.add(geometry, activeClass);
  }

  private add(geometry: Geometry | null, className: string): string | null {
    const { document, image } = this;
    if (!document || !image || this.readOnly) return null;
    const label = makeLabel({ imageId: image.id, field: document.field, className, geometry });
    document.store.apply("user", { put: [label] });
    if (geometry) this.select([label.key]);
    return label.key;
  }

  change(changes: readonly { key: string; geometry: Geometry | null }[]): void {
    const put: EditorLabel[] = [];
    const remove: string[] = [];
    for (const { key, geometry } of changes) {
      const label = this.document?.store.get(key);
      if (label && geometry) put.push({ ...label, geometry });
      else if (label) remove.push(key);
    }
    this.document?.store.apply("user", { put, remove });
  }

  select(keys: readonly string[]): void {
    const now = useUi.getState().selection;
    if (keys.length !== now.length || keys.some((key, i) => key !== now[i])) setUi({ selection: keys });
  }

  hover(key: string | null): void {
    setUi({ hovered: key });
  }

  cursor(point: Point | null): void {
    setUi({ cursor: point });
  }

  viewChanged(view: View): void {
    if (this.image && this.engine) this.views.set(this.image.id, view);
    setUi({ scale: view.scale });
  }

  menu(key: string | null, at: Point): void {
    if (key !== null && !useUi.getState().selection.includes(key)) this.select([key]);
    setUi({ menu: { key, at } });
  }

  hint(text: string): void {
    setUi({ hint: text });
  }

  // ---- what the user orders -------------------------------------------------------------------------------------

  setTool(tool: ToolName): void {
    setUi({ tool, hint: "" });
  }

  /** The selected labels that may be changed. */
  private selected(): EditorLabel[] {
    if (!this.canEdit()) return [];
    const { selection, locked } = useUi.getState();
    return selection.flatMap((key) => (locked.has(key) ? [] : (this.document?.store.get(key) ?? [])));
  }

  /** Choose a class: for a shape that waits for one, for the selection, and for what comes next. */
  chooseClass(name: string): void {
    const { picker } = useUi.getState();
    if (name && !this.classes.has(name)) this.onNewClass(name);
    setUi({ activeClass: name, picker: null, menu: null });
    if (picker?.geometry) {
      this.add(picker.geometry, name);
      return;
    }
    const put = this.selected()
      .filter((label) => label.className !== name)
      .map((label) => ({ ...label, className: name }));
    this.document?.store.apply("user", { put });
  }

  /** Relabel without changing what comes next. */
  relabel(key: string, className: string): void {
    const label = this.document?.store.get(key);
    if (label && this.canEdit()) this.document?.store.apply("user", { put: [{ ...label, className }] });
  }

  remove(): void {
    if (this.engine?.back()) return;
    const keys = this.selected().map((label) => label.key);
    this.document?.store.apply("user", { remove: keys });
  }

  removeKeys(keys: readonly string[]): void {
    if (this.canEdit())
      this.document?.store.apply("user", { remove: keys.filter((key) => !useUi.getState().locked.has(key)) });
  }

  duplicate(): void {
    const { image, document } = this;
    if (!image || !document) return;
    const by = Math.max(2, Math.round(this.engine?.reach(12) ?? 10));
    const put = this.selected().flatMap((label) => {
      if (!label.geometry) return [];
      const room = keepOn(image, boundsOf(label.geometry), by, by);
      const geometry = translate(label.geometry, room.x, room.y);
      return makeLabel({
        imageId: image.id,
        field: document.field,
        className: label.className,
        geometry,
        attributes: label.attributes,
      });
    });
    document.store.apply("user", { put });
    if (put.length) this.select(put.map((label) => label.key));
  }

  nudge(dx: number, dy: number): void {
    const { image } = this;
    if (!image) return;
    const changes = this.selected().flatMap((label) => {
      if (!label.geometry) return [];
      const by = keepOn(image, boundsOf(label.geometry), dx, dy);
      return { key: label.key, geometry: translate(label.geometry, by.x, by.y) };
    });
    if (changes.length) this.change(changes);
  }

  /** To the front (above all others) or to the back. */
  order(to: "front" | "back"): void {
    const depths = (this.document?.store.all() ?? []).map(depthOf);
    const depth = to === "front" ? Math.max(0, ...depths) + 1 : Math.min(0, ...depths) - 1;
    const put = this.selected().map((label) => ({
      ...label,
      attributes: { ...label.attributes, z_order: depth },
    }));
    this.document?.store.apply("user", { put });
  }

  /** The class of the whole image: on or off. */
  toggleImageClass(name: string): void {
    if (!this.canEdit() || !name) return;
    const there =
      this.document?.store.all().filter((label) => !label.geometry && label.className === name) ?? [];
    if (there.length) this.document?.store.apply("user", { remove: there.map((label) => label.key) });
    else this.add(null, name);
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
    const all = this.document?.store.all() ?? [];
    this.select(
      all
        .filter((each) => each.geometry && !hidden.has(each.key) && !locked.has(each.key))
        .map((each) => each.key),
    );
  }

  /** The label after (or before) the selected one. */
  step(by: 1 | -1): void {
    const keys = (this.document?.store.all() ?? [])
      .filter((label) => label.geometry)
      .map((label) => label.key);
    if (!keys.length) return;
    const at = keys.indexOf(useUi.getState().selection[0] ?? "");
    const next = keys[(at < 0 ? (by > 0 ? 0 : -1) : at + by + keys.length) % keys.length] ?? keys.at(-1)!;
    this.select([next]);
    this.engine?.reveal(next);
  }

  undo(): void {
    if (this.engine?.activeTool !== "select" && this.engine?.tool.back()) return;
    this.afterHistory(this.document?.history.undo() ?? []);
  }

  redo(): void {
    this.afterHistory(this.document?.history.redo() ?? []);
  }

  private afterHistory(keys: readonly string[]): void {
    const there = keys.filter((key) => this.document?.store.get(key)?.geometry);
    if (there.length) this.select(there);
  }

  setBrush(size: number): void {
    setUi({ brush: Math.max(1, Math.min(400, Math.round(size))) });
  }

  // ---- predictions ----------------------------------------------------------------------------------------------

  /** Predictions that the threshold lets through. */
  shownPredictions(): Prediction[] {
    const { predictions, threshold } = useUi.getState();
    return (predictions?.items ?? []).filter((item) => isShown(item, threshold));
  }

  /** Turn predictions into labels: those shown, or one. Returns how many. */
  accept(only?: Prediction): number {
    const { predictions } = useUi.getState();
    const { document, image } = this;
    if (!predictions || !document || !image || this.readOnly) return 0;
    const taken = only ? [only] : this.shownPredictions();
    const has = new Set(
      document.store
        .all()
        .filter((label) => !label.geometry)
        .map((label) => label.className),
    );
    const put = taken
      .filter((item) => item.geometry || !has.has(item.class_name))
      .map((item) =>
        makeLabel({
          imageId: image.id,
          field: document.field,
          className: item.class_name,
          geometry: item.geometry as Geometry | null,
          confidence: item.confidence,
          attributes: item.attributes,
          predictedBy: predictions.by,
        }),
      );
    document.store.apply("user", { put });
    const rest = only
      ? predictions.items.filter((item) => item !== only)
      : predictions.items.filter((item) => !taken.includes(item));
    setUi({ predictions: rest.length ? { ...predictions, items: rest } : null, selection: [] });
    return put.length;
  }

  dismiss(item: Prediction): void {
    const { predictions } = useUi.getState();
    if (!predictions) return;
    setUi({
      predictions: { ...predictions, items: predictions.items.filter((each) => each !== item) },
      selection: [],
    });
  }

  /** The prediction behind a shape's key. */
  predictionOf(key: string): Prediction | undefined {
    return key.startsWith(GHOST)
      ? useUi.getState().predictions?.items[Number(key.slice(GHOST.length))]
      : undefined;
  }
}

function isShown(item: Prediction, threshold: number): boolean {
  return item.confidence === null || item.confidence >= threshold - 1e-9;
}

function same(a: Shape | undefined, b: Shape): boolean {
  return a !== undefined && (Object.keys(b) as (keyof Shape)[]).every((name) => a[name] === b[name]);
}
