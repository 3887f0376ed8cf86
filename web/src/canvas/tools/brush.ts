/** Brush and eraser. They change the mask that is selected; with none selected the brush begins a new one. */
import { rememberSpans, type Spans, Spans as SpansOf, snapBrush, spansOf } from "../spans";
import type { Stage, Tool, ToolEvent } from "../tool";
import { type Bounds, type Mask, type Shape, unite } from "../types";

interface Stroke {
  /** The shape that is painted on; null for a new one. */
  key: string | null;
  spans: Spans;
  color: string;
  x: number;
  y: number;
  touched: Bounds | null;
  at: ToolEvent;
}

export class BrushTool implements Tool {
  readonly cursor = "none";
  private current: Stroke | null = null;
  private readonly stage: Stage;
  private readonly paint: boolean;
  private pointer: ToolEvent | null = null;

  constructor(stage: Stage, paint: boolean) {
    this.stage = stage;
    this.paint = paint;
  }

  /** Alt turns the brush into the eraser and back for one stroke. */
  private paints(event: ToolEvent): boolean {
    return this.paint !== event.alt;
  }

  down(event: ToolEvent): void {
    const { stage } = this;
    if (!stage.host.canEdit()) return;
    const target = this.target(event);
    if (!target && !this.paints(event)) return;
    const size = stage.host.brushSize();
    const spans = target
      ? spansOf(target.geometry as Mask).copy()
      : new SpansOf(stage.image.width, stage.image.height);
    const color = target?.color ?? stage.host.style().color;
    this.current = {
      key: target?.key ?? null,
      spans,
      color,
      x: snapBrush(event.x, size),
      y: snapBrush(event.y, size),
      touched: null,
      at: event,
    };
    stage.showPaint(spans, color, this.current.key, null);
    this.extend(event);
  }

  private target(event: ToolEvent): Shape | null {
    const { stage } = this;
    const isMask = (shape: Shape | undefined): shape is Shape =>
      shape !== undefined &&
      shape.geometry.type === "mask" &&
      !shape.locked &&
      !shape.ghost &&
      !shape.hidden &&
      shape.geometry.width === stage.image.width &&
      shape.geometry.height === stage.image.height;
    if (stage.selection.length === 1) {
      const shape = stage.scene.get(stage.selection[0]!);
      if (isMask(shape)) return shape;
    }
    if (this.paints(event)) return null;
    return stage.at(event.x, event.y, event.touch).find(isMask) ?? null;
  }

  move(event: ToolEvent): void {
    this.follow(event);
    if (this.current) this.extend(event);
  }

  private extend(event: ToolEvent): void {
    const stroke = this.current!;
    const size = this.stage.host.brushSize();
    const x = snapBrush(event.x, size);
    const y = snapBrush(event.y, size);
    const part = stroke.spans.stroke(stroke.x, stroke.y, x, y, size, this.paints(event));
    stroke.x = x;
    stroke.y = y;
    stroke.touched = unite(stroke.touched, part);
    stroke.at = event;
    if (part) this.stage.showPaint(stroke.spans, stroke.color, stroke.key, part);
  }

  up(event: ToolEvent): void {
    const stroke = this.current;
    this.current = null;
    if (!stroke) return;
    const { stage } = this;
    if (stroke.touched) {
      const geometry = stroke.spans.bounds() ? rememberSpans(stroke.spans.toMask(), stroke.spans) : null;
      if (stroke.key !== null) stage.host.change([{ key: stroke.key, geometry }]);
      else if (geometry) {
        const key = stage.host.create(geometry, { x: event.sx, y: event.sy });
        if (key !== null) stage.host.select([key]);
      }
    }
    stage.hidePaint();
  }

  hover(event: ToolEvent): void {
    this.follow(event);
  }

  private follow(event: ToolEvent): void {
    this.pointer = event;
    const { stage } = this;
    const size = stage.host.brushSize();
    const x = (size <= 12 ? snapBrush(event.x, size) : event.x) * stage.view.scale + stage.view.x;
    const y = (size <= 12 ? snapBrush(event.y, size) : event.y) * stage.view.scale + stage.view.y;
    stage.overlay.showBrush(
      x,
      y,
      (size / 2) * stage.view.scale,
      this.paints(event) ? stage.host.style().color : "#ffffff",
    );
  }

  cancel(): boolean {
    const busy = this.current !== null;
    this.current = null;
    this.stage.hidePaint();
    if (busy) return true;
    return this.finish();
  }

  /** The mask is done: the next stroke begins another. */
  finish(): boolean {
    if (!this.stage.selection.length) return false;
    this.stage.host.select([]);
    return true;
  }

  /** Undo while the button is held takes back the stroke. */
  back(): boolean {
    if (!this.current) return false;
    this.current = null;
    this.stage.hidePaint();
    return true;
  }

  refresh(): void {
    if (this.pointer) this.follow(this.pointer);
  }

  leave(): void {
    this.current = null;
    this.pointer = null;
    this.stage.hidePaint();
    this.stage.overlay.showBrush(0, 0, 0, null);
  }
}
