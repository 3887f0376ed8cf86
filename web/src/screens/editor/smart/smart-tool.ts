/** The smart tool on the canvas: clicks and boxes go to the desk, what the desk has is drawn. */
import { boxFrom, clampPoint } from "~/canvas/geometry";
import { spansOf } from "~/canvas/spans";
import type { Stage, Tool, ToolEvent } from "~/canvas/tool";
import { tidy } from "~/canvas/tool";
import type { Box, Mask } from "~/canvas/types";
import type { SmartDesk } from "./desk";
import type { Output } from "./state";

const SVG = "http://www.w3.org/2000/svg";
const REACH = 9; // CSS pixels around a point within which a click means it

export class SmartTool implements Tool {
  readonly cursor = "crosshair";
  private readonly stage: Stage;
  private readonly desk: SmartDesk;
  private readonly output: () => Output;
  private readonly marks: SVGGElement;
  private from: ToolEvent | null = null;
  private drawn: Box | null = null;
  private painted: Mask | null = null;
  private color = "";

  constructor(stage: Stage, desk: SmartDesk, output: () => Output) {
    this.stage = stage;
    this.desk = desk;
    this.output = output;
    this.marks = document.createElementNS(SVG, "g");
    this.marks.setAttribute("class", "cs-smart");
    this.marks.dataset.testid = "smart-marks";
    desk.onChange(() => this.draw());
  }

  down(event: ToolEvent): void {
    this.from = this.stage.host.canEdit() ? event : null;
    this.drawn = null;
  }

  move(event: ToolEvent): void {
    const { from, stage } = this;
    if (!from || Math.hypot(event.sx - from.sx, event.sy - from.sy) < 4) return;
    const a = clampPoint(stage.image, from.x, from.y);
    const b = clampPoint(stage.image, event.x, event.y);
    this.drawn = boxFrom(tidy(a.x), tidy(a.y), tidy(b.x), tidy(b.y));
    this.draw();
  }

  up(event: ToolEvent): void {
    const { from, drawn } = this;
    this.drop();
    if (!from) return;
    if (drawn) {
      this.begin();
      const size = { width: tidy(drawn.width), height: tidy(drawn.height) };
      this.desk.drawBox({ ...drawn, ...size });
    } else this.click(event, !event.alt);
  }

  /** The right button: this does not belong to it. */
  secondary(event: ToolEvent): boolean {
    this.drop();
    if (this.stage.host.canEdit()) this.click(event, false);
    return true;
  }

  private click({ x, y }: ToolEvent, include: boolean): void {
    const { image } = this.stage;
    if (x < 0 || y < 0 || x > image.width || y > image.height) return;
    const reach = this.stage.reach(REACH);
    const there = this.desk.state.prompt.points.findIndex(
      (each) => Math.hypot(each.x - x, each.y - y) < reach,
    );
    if (there >= 0) this.desk.removePoint(there);
    else {
      this.begin();
      this.desk.click(tidy(x), tidy(y), include);
    }
  }

  /** The label that was made last is no longer what a number key is for. */
  private begin(): void {
    if (this.desk.empty) this.stage.host.select([]);
  }

  hover(): void {}

  drop(): void {
    this.from = null;
    if (!this.drawn) return;
    this.drawn = null;
    this.draw();
  }

  cancel(): boolean {
    this.drop();
    return this.desk.clear();
  }

  finish(): boolean {
    return this.desk.keep();
  }

  back(): boolean {
    return this.desk.back();
  }

  refresh(): void {
    this.draw();
  }

  leave(): void {
    this.cancel();
    this.marks.remove();
  }

  /** Show what the desk has; nothing where it has nothing. */
  private draw(): void {
    const { stage, desk } = this;
    const { answer, prompt } = desk.state;
    const { color } = stage.host.style();
    const mask = answer?.mask ?? null;
    if (mask && this.output() === "mask") this.paint(mask, color);
    else this.unpaint();
    const shown = mask && answer?.outline;
    stage.setDraft(shown ? { geometry: shown, color, hollow: this.output() === "mask" } : null);
    this.mark(prompt.points, this.drawn ?? prompt.box);
    const steps = desk.steps;
    const enough = Boolean(desk.answered?.mask);
    const rest = { next: "", total: 0, hidden: false, asked: 0 };
    stage.host.drawing(steps ? { tool: "smart", points: steps, enough, ...rest } : null);
  }

  private paint(mask: Mask, color: string): void {
    if (this.painted === mask && this.color === color) return;
    this.painted = mask;
    this.color = color;
    this.stage.showPaint(spansOf(mask), color, null, null);
    this.stage.redraw();
  }

  private unpaint(): void {
    if (this.painted) this.stage.hidePaint();
    this.painted = null;
  }

  private mark(points: readonly { x: number; y: number; include: boolean }[], box: Box | null): void {
    const { scale, x, y } = this.stage.view;
    const parts: string[] = [];
    if (box) {
      const at = `x="${box.x * scale + x}" y="${box.y * scale + y}"`;
      parts.push(`<rect ${at} width="${box.width * scale}" height="${box.height * scale}"/>`);
    }
    for (const each of points) {
      const sign = each.include ? "M-3 0H3M0 -3V3" : "M-3 0H3";
      const kind = each.include ? "include" : "exclude";
      const at = `translate(${each.x * scale + x} ${each.y * scale + y})`;
      parts.push(`<g data-sign="${kind}" transform="${at}"><circle r="7"/><path d="${sign}"/></g>`);
    }
    const text = parts.join("");
    if (!this.marks.isConnected) this.stage.overlay.root.append(this.marks);
    if (this.marks.innerHTML !== text) this.marks.innerHTML = text;
  }
}
