/**
 * A canvas as large as the stage and a margin, that is drawn now and then and moved by the compositor in between: to
 * pan costs nothing, to zoom shows it scaled until it is drawn again.
 */
import type { Bounds } from "./types";
import type { View } from "./view";

const MARGIN = 0.2;

/** Draws the part of the image that `view` (to device pixels) shows on width x height. */
export type Draw = (context: CanvasRenderingContext2D, view: View, width: number, height: number) => void;

export class Layer {
  readonly element: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly draw: Draw;
  private ratio = 1;
  private marginX = 0;
  private marginY = 0;
  private width = 0;
  private height = 0;
  /** The view in CSS pixels that the canvas shows; null if it must be drawn whatever the view. */
  private drawn: View | null = null;
  private dirty: Bounds[] = [];

  constructor(element: HTMLCanvasElement, draw: Draw) {
    this.element = element;
    this.context = element.getContext("2d")!;
    this.draw = draw;
    element.style.transformOrigin = "0 0";
    element.style.willChange = "transform";
  }

  resize(width: number, height: number, ratio: number): void {
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    this.marginX = Math.round(width * MARGIN);
    this.marginY = Math.round(height * MARGIN);
    const w = Math.round((width + 2 * this.marginX) * ratio);
    const h = Math.round((height + 2 * this.marginY) * ratio);
    if (this.element.width !== w || this.element.height !== h) {
      this.element.width = w;
      this.element.height = h;
      this.element.style.width = `${w / ratio}px`;
      this.element.style.height = `${h / ratio}px`;
    }
    this.drawn = null;
  }

  /** Part of the image (all: null) must be drawn again. */
  invalidate(bounds: Bounds | null): void {
    if (bounds && this.drawn && this.dirty.length < 100) this.dirty.push(bounds);
    else this.drawn = null;
  }

  /** Whether it is sharp at this view. */
  isSharp(view: View): boolean {
    return this.drawn !== null && this.drawn.scale === view.scale;
  }

  /** Whether moving and scaling it shows everything that the stage must show of the image. */
  covers(view: View, image: Bounds): boolean {
    if (!this.drawn) return false;
    const by = view.scale / this.drawn.scale;
    if (by > 3) return false;
    const left = view.x - (this.drawn.x + this.marginX) * by;
    const top = view.y - (this.drawn.y + this.marginY) * by;
    const right = left + (this.width + 2 * this.marginX) * by;
    const bottom = top + (this.height + 2 * this.marginY) * by;
    const slack = 1;
    return (
      left <= Math.max(0, image.x0 * view.scale + view.x) + slack &&
      top <= Math.max(0, image.y0 * view.scale + view.y) + slack &&
      right >= Math.min(this.width, image.x1 * view.scale + view.x) - slack &&
      bottom >= Math.min(this.height, image.y1 * view.scale + view.y) - slack
    );
  }

  /** Draw what is dirty, at the view it has. `reach` is how far lines reach over bounds, in CSS pixels. */
  patch(reach: number): void {
    if (!this.drawn || !this.dirty.length) return;
    const view = this.deviceView(this.drawn);
    const r = reach * this.ratio;
    this.context.save();
    this.context.beginPath();
    for (const b of this.dirty) {
      const x0 = Math.floor(b.x0 * view.scale + view.x - r);
      const y0 = Math.floor(b.y0 * view.scale + view.y - r);
      const x1 = Math.ceil(b.x1 * view.scale + view.x + r);
      const y1 = Math.ceil(b.y1 * view.scale + view.y + r);
      this.context.rect(x0, y0, x1 - x0, y1 - y0);
    }
    this.context.clip();
    this.clearAndDraw(view);
    this.context.restore();
    this.dirty = [];
  }

  /** What `patch` will draw again, in image pixels: for a `draw` that can leave out the rest. */
  get dirtyBounds(): readonly Bounds[] {
    return this.dirty;
  }

  render(view: View): void {
    this.dirty = [];
    this.drawn = view;
    this.clearAndDraw(this.deviceView(view));
  }

  /** Move it so that it shows this view. */
  place(view: View): void {
    const from = this.drawn ?? view;
    const by = view.scale / from.scale;
    const x = view.x - (from.x + this.marginX) * by;
    const y = view.y - (from.y + this.marginY) * by;
    this.element.style.transform = `translate(${x}px,${y}px)${by === 1 ? "" : ` scale(${by})`}`;
  }

  private deviceView(view: View): View {
    const { ratio } = this;
    return {
      scale: view.scale * ratio,
      x: (view.x + this.marginX) * ratio,
      y: (view.y + this.marginY) * ratio,
    };
  }

  private clearAndDraw(view: View): void {
    const { width, height } = this.element;
    this.context.clearRect(0, 0, width, height);
    this.draw(this.context, view, width, height);
  }
}
