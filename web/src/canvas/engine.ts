/**
 * The canvas of the editor: a picture, shapes above it, tools that change them. It shows a scene and reports what the
 * user does to its host; what is true (labels, classes, history) it does not know.
 */
import { areaOf, boundsOf, hit } from "./geometry";
import { Gestures } from "./gestures";
import { type Draft, Overlay } from "./overlay";
import { type Canvases, Painter } from "./painter";
import type { Picture } from "./pictures";
import { Scene } from "./scene";
import type { Spans } from "./spans";
import { type Host, LOADING, type Stage, type Tool, type ToolName } from "./tool";
import { BrushTool } from "./tools/brush";
import { DragShapeTool } from "./tools/drag-shape";
import { KeypointsTool } from "./tools/keypoints";
import { PolygonTool } from "./tools/polygon";
import { SelectTool } from "./tools/select";
import { type Bounds, type Geometry, type Point, type Shape, type Size, unite } from "./types";
import { centred, fitBounds, fitView, keepInSight, revealed, type View, zoomAt } from "./view";

/** The elements that it draws on, one above the other, all as large as `root`. */
export interface Parts extends Canvases {
  root: HTMLElement;
  overlay: SVGSVGElement;
}

/** Tools for which a press means the area under it, never a handle. */
const AREA_TOOLS: ReadonlySet<ToolName> = new Set(["brush", "eraser", "smart"]);
const SETTLED = 90; // ms without a change of the view after which everything is drawn sharp

export class Engine implements Stage {
  readonly scene = new Scene();
  readonly overlay: Overlay;
  readonly host: Host;
  image: Size = { width: 1, height: 1 };
  stage: Size = { width: 1, height: 1 };
  view: View = { scale: 1, x: 0, y: 0 };
  selection: readonly string[] = [];
  lifted: ReadonlyMap<string, Geometry> = new Map();
  private readonly parts: Parts;
  private readonly painter: Painter;
  private readonly tools: Record<ToolName, Tool>;
  private readonly gestures: Gestures;
  private readonly observer: ResizeObserver;
  private toolName: ToolName = "select";
  private hovered: string | null = null;
  private draft: Draft | null = null;
  private frameAsked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private movedAt = 0;
  private fitted = true;
  private overlayStale = true;

  constructor(parts: Parts, host: Host) {
    this.parts = parts;
    this.host = host;
    this.overlay = new Overlay(parts.overlay);
    this.painter = new Painter(parts, this, (part) => this.invalidate(part));
    this.tools = {
      select: new SelectTool(this),
      box: new DragShapeTool(this, "box"),
      ellipse: new DragShapeTool(this, "ellipse"),
      polygon: new PolygonTool(this),
      brush: new BrushTool(this, true),
      eraser: new BrushTool(this, false),
      keypoints: new KeypointsTool(this),
      smart: LOADING,
    };
    this.scene.onDirty((part) => this.invalidate(part));
    this.gestures = new Gestures(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(parts.root);
    this.resize();
    this.setTool("select");
  }

  close(): void {
    this.tool.leave();
    this.observer.disconnect();
    this.gestures.close();
    this.painter.close();
    cancelAnimationFrame(this.frameAsked);
    clearTimeout(this.timer);
  }

  get tool(): Tool {
    return this.tools[this.toolName];
  }

  get activeTool(): ToolName {
    return this.toolName;
  }

  get hasPicture(): boolean {
    return this.painter.picture !== null;
  }

  get element(): HTMLElement {
    return this.parts.root;
  }

  get root(): SVGSVGElement {
    return this.parts.overlay;
  }

  /** The tool for a press on a handle: corners can be moved while another tool is chosen, but not while it draws. */
  toolFor(handle: string | null): Tool {
    return handle && !this.draft && !AREA_TOOLS.has(this.toolName) ? this.tools.select : this.tool;
  }

  /** Put in a tool that is no part of the first load. */
  install(name: ToolName, make: (stage: Stage) => Tool): void {
    this.tools[name].leave();
    this.tools[name] = make(this);
    if (name === this.toolName) this.setCursor(null);
  }

  setTool(name: ToolName): void {
    if (name !== this.toolName) this.tool.leave();
    this.toolName = name;
    this.setCursor(null);
    this.redraw();
  }

  /** Null: that of the tool. */
  setCursor(cursor: string | null): void {
    this.parts.overlay.style.cursor = cursor ?? this.tool.cursor;
  }

  /** Delete: the last point of what is drawn, else the corner that was touched last. Returns whether there was one. */
  back(): boolean {
    return this.tool.back() || (this.toolName !== "select" && this.tools.select.back());
  }

  /** The next keypoint is (or is not) a hidden one. */
  hideKeypoint(): void {
    if (this.toolName === "keypoints") (this.tools.keypoints as KeypointsTool).toggleHidden();
  }

  skipKeypoint(): boolean {
    return this.toolName === "keypoints" && (this.tools.keypoints as KeypointsTool).skip();
  }

  /** Another image: its size is known before its picture. The view fits unless one is given. */
  setImage(size: Size, view?: View): void {
    this.tool.cancel();
    this.image = size;
    this.painter.clear();
    this.hovered = null;
    this.fitted = !view;
    this.applyView(view ?? fitView(size, this.stage), true);
  }

  setPicture(picture: Picture | null): void {
    this.painter.setPicture(picture);
    this.redraw();
  }

  setSelection(keys: readonly string[]): void {
    if (keys.length !== 1 || keys[0] !== this.selection[0]) this.overlay.setActiveHandle("");
    this.selection = keys;
    this.overlayStale = true;
    this.redraw();
  }

  setHovered(key: string | null): void {
    if (this.hovered === key) return;
    this.hovered = key;
    this.overlayStale = true;
    this.redraw();
  }

  setLook({ names, fill }: { names: boolean; fill: number }): void {
    if (this.painter.setLook(names, fill)) this.invalidate(null);
  }

  setPictureFilter(filter: string): void {
    this.parts.picture.style.filter = filter;
  }

  setShapesVisible(visible: boolean): void {
    this.parts.shapes.style.visibility = visible ? "visible" : "hidden";
  }

  /** The style of new shapes changed. */
  refreshTool(): void {
    this.tool.refresh?.();
  }

  fit(): void {
    this.fitted = true;
    this.applyView(fitView(this.image, this.stage));
  }

  actualSize(): void {
    this.fitted = false;
    this.applyView(centred(this.image, this.stage, 1 / this.ratio));
  }

  /** Zoom in steps, around the middle or a point of the stage. */
  zoomBy(factor: number, at: Point = { x: this.stage.width / 2, y: this.stage.height / 2 }): void {
    this.fitted = false;
    this.applyView(
      keepInSight(zoomAt(this.view, at, factor, this.image, this.stage), this.image, this.stage),
    );
  }

  panBy(dx: number, dy: number): void {
    this.fitted = false;
    const { scale, x, y } = this.view;
    this.applyView(keepInSight({ scale, x: x + dx, y: y + dy }, this.image, this.stage));
  }

  setView(view: View): void {
    this.fitted = false;
    this.applyView(view);
  }

  /** Bring shapes into the middle, as large as makes sense. */
  showShapes(keys: readonly string[]): void {
    const bounds = keys.reduce<Bounds | null>((all, key) => {
      const shape = this.scene.get(key);
      return shape ? unite(all, boundsOf(shape.geometry)) : all;
    }, null);
    if (bounds) this.setView(fitBounds(bounds, this.stage));
  }

  /** Pan so that a shape can be seen, if it cannot. */
  reveal(key: string): void {
    const shape = this.scene.get(key);
    if (!shape) return;
    const view = revealed(this.view, boundsOf(shape.geometry), this.stage);
    if (view !== this.view) this.setView(view);
  }

  reach(pixels: number): number {
    return pixels / this.view.scale;
  }

  at(x: number, y: number, touch: boolean): Shape[] {
    const reach = this.reach(touch ? 14 : 5);
    const ranked: { shape: Shape; rank: number; area: number }[] = [];
    for (const shape of this.scene.query({ x0: x - reach, y0: y - reach, x1: x + reach, y1: y + reach })) {
      if (shape.locked) continue;
      const how = hit(shape.geometry, x, y, reach);
      if (how)
        ranked.push({
          shape,
          rank: (shape.ghost ? 2 : 0) + (how === "edge" ? 0 : 1),
          area: areaOf(shape.geometry),
        });
    }
    return ranked.sort((a, b) => a.rank - b.rank || a.area - b.area).map(({ shape }) => shape);
  }

  setDraft(draft: Draft | null): void {
    this.draft = draft;
    this.overlayStale = true;
    this.redraw();
  }

  lift(shapes: ReadonlyMap<string, Geometry>): void {
    for (const key of shapes.keys()) if (!this.lifted.has(key)) this.invalidateShape(key);
    this.lifted = shapes;
    this.overlayStale = true;
    this.redraw();
  }

  drop(): void {
    for (const key of this.lifted.keys()) this.invalidateShape(key);
    this.lifted = new Map();
    this.overlayStale = true;
    this.redraw();
  }

  showPaint(spans: Spans, color: string, key: string | null, part: Bounds | null): void {
    if (!part && key !== null) this.invalidateShape(key);
    this.painter.painted = { spans, color, key };
    this.painter.invalidatePaint(part);
    if (part) this.redraw();
  }

  hidePaint(): void {
    const { painted } = this.painter;
    if (!painted) return;
    if (painted.key !== null) this.invalidateShape(painted.key);
    this.painter.painted = null;
    this.painter.invalidatePaint(null);
    this.redraw();
  }

  redraw(): void {
    if (!this.frameAsked) this.frameAsked = requestAnimationFrame(() => this.frame());
  }

  private get ratio(): number {
    return window.devicePixelRatio || 1;
  }

  private invalidateShape(key: string): void {
    const shape = this.scene.get(key);
    if (shape) this.invalidate(boundsOf(shape.geometry));
  }

  private invalidate(part: Bounds | null): void {
    this.painter.invalidateShapes(part);
    this.overlayStale = true;
    this.redraw();
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.parts.root;
    if (width < 2 || height < 2) return;
    const before = this.stage;
    this.stage = { width, height };
    this.painter.resize(this.stage, this.ratio);
    if (this.fitted) this.applyView(fitView(this.image, this.stage), true);
    else this.panBy((width - before.width) / 2, (height - before.height) / 2);
    // In this frame: an emptied canvas must not be seen.
    cancelAnimationFrame(this.frameAsked);
    this.frame();
  }

  private applyView(view: View, settled = false): void {
    const { ratio } = this;
    // On whole device pixels, so that moving the canvases keeps them sharp.
    this.view = {
      scale: view.scale,
      x: Math.round(view.x * ratio) / ratio,
      y: Math.round(view.y * ratio) / ratio,
    };
    this.movedAt = settled ? 0 : performance.now();
    this.overlayStale = true;
    this.tool.refresh?.();
    this.host.viewChanged(this.view);
    this.redraw();
  }

  private frame(): void {
    this.frameAsked = 0;
    // The browser's zoom, or another screen, without another size in CSS pixels.
    if (this.painter.ratio !== this.ratio) this.painter.resize(this.stage, this.ratio);
    const later = this.painter.draw(performance.now() - this.movedAt >= SETTLED);
    if (this.overlayStale) this.drawOverlay();
    clearTimeout(this.timer);
    if (later) this.timer = setTimeout(() => this.redraw(), SETTLED);
  }

  private drawOverlay(): void {
    this.overlayStale = false;
    const { width, height } = this.stage;
    const shapes: Shape[] = [];
    for (const key of this.selection) {
      const shape = this.scene.get(key);
      if (!shape || shape.hidden || key === this.painter.painted?.key) continue;
      const lifted = this.lifted.get(key);
      shapes.push(lifted ? { ...shape, geometry: lifted } : shape);
    }
    const brushing = AREA_TOOLS.has(this.toolName);
    this.overlay.showSelected(
      shapes,
      this.view,
      width,
      height,
      this.host.canEdit() && !this.draft && !brushing,
    );
    const hovered = this.hovered === null ? null : (this.scene.get(this.hovered) ?? null);
    const shown = hovered?.hidden || this.lifted.size ? null : hovered;
    this.overlay.showHovered(shown, this.view, this.selection.includes(this.hovered ?? ""));
    this.overlay.showDraft(this.draft, this.view);
  }
}
