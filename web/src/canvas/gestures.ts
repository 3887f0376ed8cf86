/** Pointer, wheel and space bar on the stage: who pans and zooms, and what the tool gets. */
import type { Engine } from "./engine";
import type { Tool, ToolEvent } from "./tool";
import type { Point } from "./types";
import { toImage } from "./view";

const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform ?? "");

export class Gestures {
  private readonly engine: Engine;
  private readonly touches = new Map<number, Point>();
  private readonly stop = new AbortController();
  private drawing: { pointer: number; tool: Tool; handle: string | null; clicks: number } | null = null;
  private panning: { pointer: number; x: number; y: number } | null = null;
  private space = false;
  private lastDown = { time: 0, x: 0, y: 0, clicks: 0 };
  private origin: DOMRect;

  constructor(engine: Engine) {
    this.engine = engine;
    const { root } = engine;
    this.origin = root.getBoundingClientRect();
    const options = { signal: this.stop.signal };
    root.addEventListener("pointerdown", (event) => this.down(event), options);
    root.addEventListener("pointermove", (event) => this.move(event), options);
    root.addEventListener("pointerup", (event) => this.up(event), options);
    root.addEventListener("pointercancel", (event) => this.lost(event), options);
    root.addEventListener("pointerleave", () => this.leave(), options);
    root.addEventListener("wheel", (event) => this.wheel(event), { ...options, passive: false });
    root.addEventListener("contextmenu", (event) => this.menu(event), options);
    window.addEventListener("keydown", (event) => this.key(event, true), options);
    window.addEventListener("keyup", (event) => this.key(event, false), options);
    window.addEventListener("blur", () => this.setSpace(false), options);
    window.addEventListener("resize", () => this.engine.redraw(), options);
  }

  close(): void {
    this.stop.abort();
  }

  private toolEvent(event: PointerEvent | MouseEvent, handle: string | null, clicks = 1): ToolEvent {
    const sx = event.clientX - this.origin.left;
    const sy = event.clientY - this.origin.top;
    const { x, y } = toImage(this.engine.view, sx, sy);
    const mod = isMac ? event.metaKey : event.ctrlKey;
    const touch = "pointerType" in event && event.pointerType === "touch";
    return { x, y, sx, sy, shift: event.shiftKey, alt: event.altKey, mod, touch, clicks, handle };
  }

  private down(event: PointerEvent): void {
    this.origin = this.engine.root.getBoundingClientRect();
    (document.activeElement as HTMLElement | null)?.blur?.();
    if (event.pointerType === "touch") {
      this.touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (this.touches.size === 2) {
        this.giveUp();
        return;
      }
    }
    if (event.button === 1 || (event.button === 0 && this.space)) {
      event.preventDefault();
      this.panning = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
      this.engine.setCursor("grabbing");
      this.engine.root.setPointerCapture(event.pointerId);
      return;
    }
    if (event.button !== 0 || this.touches.size > 1) return;
    if (this.drawing?.pointer === event.pointerId) this.giveUp(); // it was let go where nobody saw it
    if (this.drawing) return;
    const handle = (event.target as Element).closest("[data-handle]")?.getAttribute("data-handle") ?? null;
    const tool = this.engine.toolFor(handle);
    this.engine.root.setPointerCapture(event.pointerId);
    this.drawing = { pointer: event.pointerId, tool, handle, clicks: this.countClicks(event) };
    tool.down(this.toolEvent(event, handle, this.drawing.clicks));
  }

  private countClicks(event: PointerEvent): number {
    const { time, x, y, clicks } = this.lastDown;
    const slack = event.pointerType === "touch" ? 16 : 4;
    const again = event.timeStamp - time < 400 && Math.hypot(event.clientX - x, event.clientY - y) < slack;
    this.lastDown = {
      time: event.timeStamp,
      x: event.clientX,
      y: event.clientY,
      clicks: again ? clicks + 1 : 1,
    };
    return this.lastDown.clicks;
  }

  private move(event: PointerEvent): void {
    if (this.touches.has(event.pointerId) && this.touches.size === 2) {
      this.pinch(event);
      return;
    }
    if (this.panning?.pointer === event.pointerId) {
      this.engine.panBy(event.clientX - this.panning.x, event.clientY - this.panning.y);
      this.panning = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
      return;
    }
    // No button is down: it was let go outside, over a dialog of the system for instance.
    if (this.drawing?.pointer === event.pointerId && event.buttons === 0) this.giveUp();
    const { drawing } = this;
    if (drawing?.pointer === event.pointerId) {
      // A quick stroke comes as one event with many points in it.
      const all = event.getCoalescedEvents?.() ?? [];
      const points = all.length ? all : [event];
      const wanted = this.engine.activeTool === "select" || drawing.handle ? points.slice(-1) : points;
      for (const each of wanted) drawing.tool.move(this.toolEvent(each, drawing.handle, drawing.clicks));
    } else if (!drawing && event.pointerType !== "touch") {
      const handle = (event.target as Element).getAttribute?.("data-handle") ?? null;
      this.engine.tool.hover(this.toolEvent(event, handle));
    }
    this.engine.host.cursor(this.toolEvent(event, null));
  }

  private pinch(event: PointerEvent): void {
    const [a, b] = [...this.touches.values()] as [Point, Point];
    const before = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, d: Math.hypot(a.x - b.x, a.y - b.y) };
    this.touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const [c, d] = [...this.touches.values()] as [Point, Point];
    const after = { x: (c.x + d.x) / 2, y: (c.y + d.y) / 2, d: Math.hypot(c.x - d.x, c.y - d.y) };
    this.engine.panBy(after.x - before.x, after.y - before.y);
    if (before.d > 0) {
      this.engine.zoomBy(after.d / before.d, { x: after.x - this.origin.left, y: after.y - this.origin.top });
    }
  }

  private up(event: PointerEvent): void {
    this.touches.delete(event.pointerId);
    if (this.panning?.pointer === event.pointerId) {
      this.panning = null;
      this.engine.setCursor(this.space ? "grab" : null);
      return;
    }
    const { drawing } = this;
    if (drawing?.pointer !== event.pointerId) return;
    this.drawing = null;
    drawing.tool.up(this.toolEvent(event, drawing.handle, drawing.clicks));
  }

  private lost(event: PointerEvent): void {
    this.touches.delete(event.pointerId);
    this.panning = null;
    if (this.drawing?.pointer === event.pointerId) this.giveUp();
  }

  /** The drag ends without a result; what was clicked before it stays. */
  private giveUp(): void {
    const { drawing } = this;
    this.drawing = null;
    if (!drawing) return;
    if (drawing.tool.drop) drawing.tool.drop();
    else drawing.tool.cancel();
  }

  private leave(): void {
    if (this.drawing) return;
    this.engine.host.hover(null);
    this.engine.host.cursor(null);
    this.engine.overlay.showBrush(0, 0, 0, null);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.origin = this.engine.root.getBoundingClientRect();
    const at = { x: event.clientX - this.origin.left, y: event.clientY - this.origin.top };
    const unit = event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    if (event.ctrlKey || event.metaKey) {
      // A pinch on a trackpad comes in small steps, a wheel with Control held in large ones.
      this.engine.zoomBy(Math.exp(-dy * (Math.abs(dy) < 40 ? 0.01 : 0.002)), at);
    } else if (event.shiftKey) this.engine.panBy(-(dx || dy), 0);
    else if (isWheel(event)) this.engine.zoomBy(Math.exp(-Math.max(-300, Math.min(300, dy)) * 0.0018), at);
    else this.engine.panBy(-dx, -dy);
  }

  private menu(event: MouseEvent): void {
    event.preventDefault();
    this.origin = this.engine.root.getBoundingClientRect();
    const at = this.toolEvent(event, null);
    const { tool } = this.engine;
    if (tool.secondary ? tool.secondary(at) : this.engine.activeTool !== "select" && tool.back()) return; // takes the last corner back
    const { x, y, sx, sy } = at;
    this.engine.host.menu(this.engine.at(x, y, false)[0]?.key ?? null, { x: sx, y: sy });
  }

  private key(event: KeyboardEvent, down: boolean): void {
    if (event.key !== " ") return;
    const target = event.target as HTMLElement | null;
    const busy = target?.closest?.("input, textarea, select, button, a, [contenteditable], [role=dialog]");
    if (busy && down) return;
    if (down) event.preventDefault();
    if (!event.repeat) this.setSpace(down);
  }

  private setSpace(held: boolean): void {
    this.space = held;
    if (!this.panning) this.engine.setCursor(held ? "grab" : null);
  }
}

/** Whether it is the wheel of a mouse (it zooms) or a trackpad (it pans): a wheel turns by large whole steps, one way. */
function isWheel(event: WheelEvent): boolean {
  if (event.deltaMode !== 0) return true;
  if (event.deltaX !== 0 || Math.abs(event.deltaY) < 30) return false;
  // On a scaled screen a step of the wheel is no whole number of pixels, but its old measure still is.
  const steps = (event as { wheelDeltaY?: number }).wheelDeltaY ?? 0;
  return (
    (Math.abs(event.deltaY) >= 50 && Number.isInteger(event.deltaY)) || (steps !== 0 && steps % 120 === 0)
  );
}
