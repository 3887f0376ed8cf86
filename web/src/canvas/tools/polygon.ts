/** Polygons: corner by corner with clicks, or by dragging along the outline; closed at the first corner or by Enter. */
import { clampPoint, simplify } from "../geometry";
import type { Stage, Tool, ToolEvent } from "../tool";
import { tidy } from "../tool";

export class PolygonTool implements Tool {
  readonly cursor = "crosshair";
  private points: number[] = [];
  /** Where each step of the drawing began, for `back`. */
  private steps: number[] = [];
  private pressed: ToolEvent | null = null;
  private free = false;
  private pointer: ToolEvent | null = null;
  private readonly stage: Stage;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  down(event: ToolEvent): void {
    this.stage.host.hover(null);
    if (!this.stage.host.canEdit()) return;
    if (this.points.length >= 6 && this.atFirst(event)) {
      this.close(event);
      return;
    }
    if (event.clicks === 2 && this.points.length >= 6) {
      this.close(event);
      return;
    }
    this.pressed = event;
    this.steps.push(this.points.length);
    this.push(event);
    this.show(event);
  }

  private push(event: ToolEvent): void {
    const { x, y } = clampPoint(this.stage.image, event.x, event.y);
    this.points.push(tidy(x, event.mod), tidy(y, event.mod));
  }

  private atFirst(event: ToolEvent): boolean {
    const near = this.stage.reach(event.touch ? 20 : 9);
    return Math.hypot(event.x - this.points[0]!, event.y - this.points[1]!) <= near;
  }

  move(event: ToolEvent): void {
    const { pressed, points, stage } = this;
    if (!pressed) return;
    if (!this.free && Math.hypot(event.sx - pressed.sx, event.sy - pressed.sy) < 8) return;
    this.free = true;
    const n = points.length;
    if (Math.hypot(event.x - points[n - 2]!, event.y - points[n - 1]!) >= stage.reach(2)) this.push(event);
    this.show(event);
  }

  up(event: ToolEvent): void {
    if (this.free) {
      const from = this.steps.at(-1) ?? 0;
      const drawn = simplify(this.points.slice(from), this.stage.reach(1));
      this.points = [...this.points.slice(0, from), ...drawn];
      this.free = false;
      this.pressed = null;
      if (this.points.length >= 6 && this.atFirst(event)) this.close(event);
      else this.show(event);
      return;
    }
    this.pressed = null;
  }

  hover(event: ToolEvent): void {
    if (this.points.length) this.show(event);
    else
      this.stage.host.hover(event.handle ? null : (this.stage.at(event.x, event.y, false)[0]?.key ?? null));
  }

  private show(event: ToolEvent | null): void {
    this.pointer = event;
    const { points, stage } = this;
    if (!points.length) {
      stage.setDraft(null);
      return;
    }
    stage.host.drawing({
      tool: "polygon",
      points: points.length / 2,
      enough: points.length >= 6,
      next: "",
      total: 0,
      hidden: false,
      asked: 0,
    });
    const closing = event !== null && points.length >= 6 && this.atFirst(event);
    const line =
      event && !event.touch && !this.free && !closing
        ? [...points, event.x, event.y]
        : closing
          ? [...points, points[0]!, points[1]!]
          : points;
    const dots = points.length > 400 ? points.slice(0, 2) : points;
    stage.setDraft({
      geometry: null,
      color: stage.host.style().color,
      line,
      dots,
      closing: points.length >= 6,
    });
    stage.host.hint(
      points.length < 6
        ? "Click corners, or drag along the outline"
        : "Enter or the first corner closes; Backspace takes the last one back",
    );
  }

  private close(event: ToolEvent | null): void {
    const ring = this.points;
    const at = event ?? this.pointer;
    this.cancel();
    // A double click puts two corners at one place.
    const n = ring.length;
    if (n >= 8 && Math.hypot(ring[n - 2]! - ring[n - 4]!, ring[n - 1]! - ring[n - 3]!) < this.stage.reach(3))
      ring.length = n - 2;
    if (ring.length < 6) return;
    const { view } = this.stage;
    const place = at
      ? { x: at.sx, y: at.sy }
      : { x: ring[0]! * view.scale + view.x, y: ring[1]! * view.scale + view.y };
    this.stage.host.create({ type: "polygon", rings: [ring], holes: [] }, place);
  }

  cancel(): boolean {
    const busy = this.points.length > 0;
    this.points = [];
    this.steps = [];
    this.pressed = null;
    this.free = false;
    this.stage.setDraft(null);
    this.stage.host.hint("");
    this.stage.host.drawing(null);
    return busy;
  }

  /** Two fingers zoom while a polygon is drawn: the corner of the first one goes, the others stay. */
  drop(): void {
    if (!this.pressed) return;
    this.pressed = null;
    this.free = false;
    this.back();
  }

  finish(): boolean {
    if (this.points.length < 6) return false;
    this.close(null);
    return true;
  }

  back(): boolean {
    if (!this.points.length) return false;
    this.points.length = this.steps.pop() ?? 0;
    this.show(this.pointer);
    if (!this.points.length) this.cancel();
    return true;
  }

  refresh(): void {
    this.show(this.pointer);
  }

  leave(): void {
    this.cancel();
  }
}
