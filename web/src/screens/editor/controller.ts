/**
 * Between the canvas, the labels and the screen: it shows the labels of the open image as shapes, and turns what the
 * user does on the canvas or in the lists into change sets.
 */
import type { Image, LabelClass, PredictedBy } from "~/api";
import { Engine, type Parts } from "~/canvas/engine";
import { Pictures } from "~/canvas/pictures";
import type { Drawing, DrawStyle, Host, ToolName } from "~/canvas/tool";
import type { Geometry, Point, Shape } from "~/canvas/types";
import type { View } from "~/canvas/view";
import { type EditorLabel, makeLabel } from "~/editor/model";
import type { EditorSession, ImageDocument } from "~/editor/session";
import type { ChangeSet } from "~/editor/store";
import { colorOf } from "~/ui/colors";
import { Edits } from "./edits";
import { PredictionDesk } from "./predictions";
import { ghostsOf, sameShape, shapeOf } from "./shapes";
import { type EditorUi, setUi, useUi } from "./ui";

const WAITING = "waiting"; // a shape that was drawn before there was a class for it

export class Controller implements Host {
  readonly session: EditorSession;
  readonly pictures = new Pictures();
  readonly edits = new Edits(this);
  readonly predictions = new PredictionDesk(this);
  engine: Engine | null = null;
  document: ImageDocument | null = null;
  image: Image | null = null;
  classes: ReadonlyMap<string, LabelClass> = new Map();
  readOnly = false;
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
    if (!same)
      setUi({
        predictions: this.predictions.of(image.id),
        hidden: new Set(),
        locked: new Set(),
        allHidden: false,
      });
    setUi({ selection: [], hovered: null, picker: null, menu: null, hint: "" });
    this.readOnly = readOnly;
    this.stopObserving();
    this.image = image;
    this.document = document;
    this.stopObserving = document.store.observe((changes) => this.followLabels(changes));
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
    this.session.setClasses(classes);
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
    this.engine.scene.reset([...shapes, ...ghostsOf(useUi.getState(), this.classes)]);
    this.engine.setSelection(useUi.getState().selection);
  }

  private followLabels(changes: ChangeSet): void {
    const { created, updated, deleted, cause } = changes;
    const { engine } = this;
    if (cause === "history") this.predictions.follow(changes);
    if (!engine) return;
    const gone = deleted.map((label) => label.key);
    const put: Shape[] = [];
    for (const label of [...created, ...updated.map((each) => each.after)]) {
      const shape = this.shapeOf(label);
      if (shape) put.push(shape);
      else gone.push(label.key);
    }
    engine.scene.remove(...gone);
    engine.scene.put(...put.filter((shape) => !sameShape(engine.scene.get(shape.key), shape)));
    const { selection } = useUi.getState();
    if (gone.length && selection.some((key) => gone.includes(key))) {
      this.select(selection.filter((key) => !gone.includes(key)));
    } else if (cause !== "user") engine.setSelection(selection);
  }

  private shapeOf(label: EditorLabel): Shape | null {
    return shapeOf(label, useUi.getState(), this.classes);
  }

  private follow(now: EditorUi, before: EditorUi): void {
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
    this.followPredictions(now, before);
    if (before.picker && !now.picker) engine.scene.remove(WAITING);
  }

  private followPredictions(now: EditorUi, before: EditorUi): void {
    const scene = this.engine?.scene;
    if (!scene) return;
    if (now.predictions !== before.predictions) {
      const old = [...scene.all()].filter((shape) => shape.ghost).map((shape) => shape.key);
      scene.remove(...old);
      scene.put(...ghostsOf(now, this.classes));
    } else if (now.threshold !== before.threshold || now.showPredictions !== before.showPredictions) {
      const ghosts = ghostsOf(now, this.classes);
      scene.put(...ghosts.filter((shape) => scene.get(shape.key)?.hidden !== shape.hidden));
    }
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

  create(geometry: Geometry, at: Point, madeWith?: PredictedBy): string | null {
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
      setUi({ picker: { at, geometry, madeWith } });
      return null;
    }
    return this.add(geometry, activeClass, madeWith);
  }

  add(geometry: Geometry | null, className: string, madeWith?: PredictedBy): string | null {
    const { document, image } = this;
    if (!document || !image || this.readOnly) return null;
    const label = makeLabel({ imageId: image.id, field: document.field, className, geometry, madeWith });
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

  accept(key: string): void {
    const item = this.predictions.at(key);
    if (item) this.predictions.accept([item]);
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

  drawing(next: Drawing | null): void {
    const now = useUi.getState().drawing;
    const same =
      now && next && (Object.keys(next) as (keyof Drawing)[]).every((key) => now[key] === next[key]);
    if (!same) setUi({ drawing: next });
  }

  /** Whether another image may come now. Not over a drawing of several points: it would be lost without a word. */
  mayLeave(): boolean {
    const { drawing } = useUi.getState();
    if (!drawing || drawing.points < 2) return true;
    setUi({
      hint: "Something is being drawn: Enter keeps it, Escape gives it up",
      drawing: { ...drawing, asked: drawing.asked + 1 },
    });
    return false;
  }

  // ---- what the user orders -------------------------------------------------------------------------------------

  /** A drawing that is far enough is kept, not lost, when another tool is chosen. */
  setTool(tool: ToolName): void {
    const { drawing, tool: now } = useUi.getState();
    if (tool !== now && drawing?.enough) this.engine?.tool.finish();
    setUi({ tool, hint: "" });
  }

  setBrush(size: number): void {
    setUi({ brush: Math.max(1, Math.min(400, Math.round(size))) });
  }
}
