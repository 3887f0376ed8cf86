/**
 * Draws what the engine holds: the picture, the shapes and the mask that is being painted, each on a canvas of its own,
 * at most once a frame and no more of it than changed. Tools, the overlay and the pointer it does not know.
 */
import { Layer } from "./layer";
import { Masks } from "./masks";
import { MASK_ALPHA, type Outlines, outlinesOf, paintShapes, paintSpans } from "./paint";
import { paintPicture } from "./paint-picture";
import type { Picture } from "./pictures";
import type { Scene } from "./scene";
import type { Spans } from "./spans";
import { type Bounds, type Geometry, grow, type Mask, type Shape, type Size, unite } from "./types";
import { seen, type View } from "./view";

export interface Canvases {
  picture: HTMLCanvasElement;
  shapes: HTMLCanvasElement;
  paint: HTMLCanvasElement;
}

/** What is drawn, as it is at the moment of drawing. */
export interface Drawn {
  readonly scene: Scene;
  readonly image: Size;
  readonly view: View;
  /** Shapes that the overlay shows elsewhere while they are dragged. */
  readonly lifted: ReadonlyMap<string, Geometry>;
}

const EVERYWHERE: Bounds = { x0: -1e9, y0: -1e9, x1: 1e9, y1: 1e9 };
const REACH = 8; // CSS pixels that lines, dots and names may lie outside of bounds
const NAME_REACH = 110;

export class Painter {
  picture: Picture | null = null;
  painted: { spans: Spans; color: string; key: string | null } | null = null;
  ratio = 1;
  private readonly canvases: Canvases;
  private readonly source: Drawn;
  private readonly layers: { picture: Layer; shapes: Layer; paint: Layer };
  private readonly masks: Masks;
  private names = false;
  private fill = 0.16;
  private outlines: Outlines | null = null;

  constructor(canvases: Canvases, source: Drawn, dirty: (part: Bounds | null) => void) {
    this.canvases = canvases;
    this.source = source;
    this.masks = new Masks(dirty);
    this.layers = {
      picture: new Layer(canvases.picture, (context, view) => this.drawPicture(context, view)),
      shapes: new Layer(canvases.shapes, (context, view, w, h) => this.drawShapes(context, view, w, h)),
      paint: new Layer(canvases.paint, (context, view) => this.drawPaint(context, view)),
    };
    canvases.paint.style.opacity = String(MASK_ALPHA + 0.1);
  }

  close(): void {
    this.masks.close();
  }

  resize(stage: Size, ratio: number): void {
    this.ratio = ratio;
    for (const layer of Object.values(this.layers)) layer.resize(stage.width, stage.height, ratio);
  }

  /** Another image comes: nothing of the one before is shown. */
  clear(): void {
    this.masks.clear();
    this.picture = null;
    this.invalidateAll();
  }

  setPicture(picture: Picture | null): void {
    this.picture = picture;
    this.layers.picture.invalidate(null);
  }

  /** Returns whether it is another look. */
  setLook(names: boolean, fill: number): boolean {
    if (this.names === names && this.fill === fill) return false;
    this.names = names;
    this.fill = fill;
    return true;
  }

  /** Shapes in a part of the image (null: all of them) are not as they are drawn. */
  invalidateShapes(part: Bounds | null): void {
    this.layers.shapes.invalidate(part);
    this.outlines = null;
  }

  invalidateAll(): void {
    for (const layer of Object.values(this.layers)) layer.invalidate(null);
    this.outlines = null;
  }

  invalidatePaint(part: Bounds | null): void {
    this.layers.paint.invalidate(part);
  }

  /** Bring everything up to date; sharp only if the view has settled. Returns whether it is to be done again later. */
  draw(settled: boolean): boolean {
    const { image, view, scene } = this.source;
    const area = { x0: 0, y0: 0, x1: image.width, y1: image.height };
    const { picture, shapes, paint } = this.layers;
    let later = !this.refresh(picture, area, settled || this.ratio * view.scale >= 4);
    const few = scene.size < 200;
    later = !this.refresh(shapes, grow(area, REACH / view.scale), settled || few) || later;
    if (this.painted) later = !this.refresh(paint, area, settled) || later;
    this.canvases.paint.style.visibility = this.painted ? "visible" : "hidden";
    this.canvases.picture.style.imageRendering = view.scale >= 4 ? "pixelated" : "auto";
    return later;
  }

  /** Bring a layer up to date. Returns whether it is sharp now. */
  private refresh(layer: Layer, area: Bounds, now: boolean): boolean {
    const { view } = this.source;
    const sharp = layer.isSharp(view);
    if (!layer.covers(view, area) || (!sharp && now)) {
      layer.render(view);
      layer.place(view);
      return true;
    }
    layer.patch(this.reach);
    layer.place(view);
    return sharp;
  }

  private get reach(): number {
    return REACH + (this.names ? NAME_REACH : 0);
  }

  private drawPicture(context: CanvasRenderingContext2D, view: View): void {
    if (this.picture) paintPicture(context, this.picture, this.source.image, view);
  }

  private drawShapes(context: CanvasRenderingContext2D, view: View, width: number, height: number): void {
    const { scene } = this.source;
    const dirty = uniteAll(this.layers.shapes.dirtyBounds);
    const margin = this.reach * this.ratio;
    const part = dirty ? grow(dirty, margin / view.scale) : seen(view, width, height, margin);
    const found = scene.query(part).filter((shape) => this.isInLayer(shape));
    // Most of many at once: from paths that are made once, as long as no shape changes. Else only what can be seen.
    const most = !dirty && found.length > 300 && 2 * found.length > scene.size;
    if (most && !this.outlines)
      this.outlines = outlinesOf(scene.query(EVERYWHERE).filter((shape) => this.isInLayer(shape)));
    const options = {
      fill: this.fill,
      line: 1.5 * this.ratio,
      names: this.names,
      font: `${11 * this.ratio}px system-ui, sans-serif`,
      maskPicture: (mask: Mask, color: string) => this.masks.picture(mask, color, view.scale),
    };
    paintShapes(context, found, view, options, most ? (this.outlines ?? undefined) : undefined);
  }

  /** Not what the overlay or the paint layer shows in its place. */
  private isInLayer(shape: Shape): boolean {
    if (shape.key === this.painted?.key) return false;
    return shape.geometry.type === "mask" || !this.source.lifted.has(shape.key);
  }

  private drawPaint(context: CanvasRenderingContext2D, view: View): void {
    if (!this.painted) return;
    const part = uniteAll(this.layers.paint.dirtyBounds);
    context.fillStyle = this.painted.color;
    // Columns at the edge of the part reach into it when zoomed out.
    const reach = REACH / Math.min(1, this.source.view.scale) + 2;
    paintSpans(context, this.painted.spans, view, part ? grow(part, reach) : undefined);
  }
}

function uniteAll(parts: readonly Bounds[]): Bounds | null {
  return parts.reduce<Bounds | null>((all, each) => unite(all, each), null);
}
