/** Keypoints: one click each, in the order of the class; Alt: it is hidden there; Tab: it is not on the image. */
import { clampPoint } from "../geometry";
import type { Stage, Tool, ToolEvent } from "../tool";
import { tidy } from "../tool";

export class KeypointsTool implements Tool {
  readonly cursor = "crosshair";
  private points: number[] = [];
  private pointer: ToolEvent | null = null;
  /** The next point is there, but something covers it. */
  private covered = false;
  /** The press that made the last point is not over. */
  private held = false;
  private readonly stage: Stage;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  down(event: ToolEvent): void {
    this.stage.host.hover(null);
    if (!this.stage.host.canEdit()) return;
    const { x, y } = clampPoint(this.stage.image, event.x, event.y);
    this.points.push(tidy(x, event.mod), tidy(y, event.mod), event.alt || this.covered ? 1 : 2);
    this.covered = false;
    this.held = this.step(event);
  }

  /** The next point is a hidden one, or is not: for those who have no Alt key. */
  toggleHidden(): void {
    this.covered = !this.covered;
    this.show(this.pointer);
  }

  /** Leave the next point out. Returns whether there is one. */
  skip(): boolean {
    if (!this.stage.host.style().pointNames.length) return false;
    this.points.push(0, 0, 0);
    this.step(this.pointer);
    return true;
  }

  /** Returns whether there are more to come. */
  private step(event: ToolEvent | null): boolean {
    const names = this.stage.host.style().pointNames;
    const done = names.length > 0 && this.points.length >= 3 * names.length;
    if (done) this.close();
    else this.show(event);
    return !done;
  }

  move(): void {}

  up(): void {
    this.held = false;
  }

  /** Two fingers zoom: the point of the first one goes. */
  drop(): void {
    if (this.held) this.back();
    this.held = false;
  }

  hover(event: ToolEvent): void {
    this.show(event);
    if (!this.points.length)
      this.stage.host.hover(event.handle ? null : (this.stage.at(event.x, event.y, false)[0]?.key ?? null));
  }

  private show(event: ToolEvent | null): void {
    this.pointer = event;
    const { points, stage } = this;
    const { color, pointNames, skeleton } = stage.host.style();
    const next = points.length / 3;
    if (pointNames.length)
      stage.host.hint(`Click: ${pointNames[next] ?? ""} · Alt: hidden · Tab: not on the image`);
    else
      stage.host.hint(
        points.length
          ? "Click the next point · Enter ends"
          : "This class has no named keypoints: click points, Enter ends",
      );
    stage.host.drawing(
      points.length
        ? {
            tool: "keypoints",
            points: next,
            enough: points.some((value, i) => i % 3 === 2 && value > 0),
            next: pointNames[next] ?? "",
            total: pointNames.length,
            hidden: this.covered,
            asked: 0,
          }
        : null,
    );
    const all = event && !event.touch ? [...points, event.x, event.y, 2] : points;
    const dots: number[] = [];
    for (let i = 0; i < points.length; i += 3) if (points[i + 2]) dots.push(points[i]!, points[i + 1]!);
    stage.setDraft(
      points.length
        ? {
            geometry: { type: "keypoints", points: all, box: null },
            color,
            skeleton,
            names: pointNames,
            dots,
          }
        : null,
    );
  }

  private close(): void {
    const { stage, points, pointer } = this;
    const names = stage.host.style().pointNames;
    while (points.length < 3 * names.length) points.push(0, 0, 0);
    this.points = [];
    this.covered = false;
    stage.setDraft(null);
    stage.host.drawing(null);
    if (!points.some((value, i) => i % 3 === 2 && value > 0)) return;
    stage.host.create({ type: "keypoints", points, box: null }, { x: pointer?.sx ?? 0, y: pointer?.sy ?? 0 });
  }

  cancel(): boolean {
    const busy = this.points.length > 0;
    this.points = [];
    this.covered = false;
    this.stage.setDraft(null);
    this.stage.host.drawing(null);
    return busy;
  }

  finish(): boolean {
    if (!this.points.length) return false;
    this.close();
    return true;
  }

  back(): boolean {
    if (!this.points.length) return false;
    this.points.length -= 3;
    this.show(this.pointer);
    return true;
  }

  refresh(): void {
    if (this.points.length) this.show(this.pointer);
  }

  leave(): void {
    this.cancel();
    this.stage.host.hint("");
  }
}
