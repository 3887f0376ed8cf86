/** Box and ellipse: drawn by dragging. A click without a drag selects what is there. */
import { boxFrom, clampPoint } from "../geometry";
import type { Stage, Tool, ToolEvent } from "../tool";
import { tidy, tidy2 } from "../tool";
import type { Geometry } from "../types";

export class DragShapeTool implements Tool {
  readonly cursor = "crosshair";
  private from: ToolEvent | null = null;
  private geometry: Geometry | null = null;
  private readonly stage: Stage;
  private readonly kind: "box" | "ellipse";

  constructor(stage: Stage, kind: "box" | "ellipse") {
    this.stage = stage;
    this.kind = kind;
  }

  down(event: ToolEvent): void {
    this.stage.host.hover(null);
    this.from = event;
    this.geometry = null;
  }

  move(event: ToolEvent): void {
    const { from, stage } = this;
    if (!from || Math.hypot(event.sx - from.sx, event.sy - from.sy) < 3) return;
    this.geometry = stage.host.canEdit() ? this.shape(from, event) : null;
    stage.setDraft(this.geometry && { geometry: this.geometry, color: stage.host.style().color });
    if (this.geometry?.type === "box") {
      stage.host.hint(`${Math.round(this.geometry.width)} × ${Math.round(this.geometry.height)} px`);
    }
  }

  private shape(from: ToolEvent, to: ToolEvent): Geometry | null {
    let dx = to.x - from.x;
    let dy = to.y - from.y;
    if (to.shift) {
      const side = Math.max(Math.abs(dx), Math.abs(dy));
      dx = side * (dx < 0 ? -1 : 1);
      dy = side * (dy < 0 ? -1 : 1);
    }
    const { image } = this.stage;
    const a = clampPoint(image, from.x - (to.alt ? dx : 0), from.y - (to.alt ? dy : 0));
    const b = clampPoint(image, from.x + dx, from.y + dy);
    const box = boxFrom(tidy(a.x, to.mod), tidy(a.y, to.mod), tidy(b.x, to.mod), tidy(b.y, to.mod));
    if (!box) return null;
    // The difference of two tidy numbers is none.
    const [width, height] = [tidy(box.width), tidy(box.height)];
    if (this.kind === "box") return { ...box, width, height };
    const [rx, ry] = [width / 2, height / 2];
    return { type: "ellipse", cx: tidy2(box.x + rx), cy: tidy2(box.y + ry), rx, ry, angle: 0 };
  }

  up(event: ToolEvent): void {
    const { from, geometry, stage } = this;
    this.cancel();
    if (geometry) stage.host.create(geometry, { x: event.sx, y: event.sy });
    else if (from)
      stage.host.select(
        stage
          .at(event.x, event.y, event.touch)
          .slice(0, 1)
          .map((shape) => shape.key),
      );
  }

  hover(event: ToolEvent): void {
    this.stage.host.hover(event.handle ? null : (this.stage.at(event.x, event.y, false)[0]?.key ?? null));
  }

  cancel(): boolean {
    const busy = this.from !== null;
    this.from = null;
    this.geometry = null;
    this.stage.setDraft(null);
    this.stage.host.hint("");
    return busy;
  }

  finish(): boolean {
    return false;
  }

  /** Undo while the button is held takes back the drag, not what was before it. */
  back(): boolean {
    return this.cancel();
  }

  leave(): void {
    this.cancel();
  }
}
