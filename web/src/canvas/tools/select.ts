/** Select, move, reshape: by handles, by dragging a shape, by a rectangle over many. */
import { boundsOf, deleteVertex, insertVertex, keepOn, nearestSide, translate } from "../geometry";
import { afterInsert, dragHandle } from "../handles";
import type { Stage, Tool, ToolEvent } from "../tool";
import { tidy } from "../tool";
import { type Bounds, type Geometry, type Shape, unite } from "../types";
import { toImage } from "../view";

type Action =
  | { kind: "press"; event: ToolEvent; hits: Shape[]; wasSelected: boolean }
  | {
      kind: "handle";
      key: string;
      id: string;
      from: Geometry;
      now: Geometry;
      moved: boolean;
      press: ToolEvent;
    }
  | { kind: "move"; from: ToolEvent; shapes: Shape[]; bounds: Bounds; now: Map<string, Geometry> }
  | { kind: "marquee"; from: ToolEvent; before: readonly string[] };

const DRAG = 3;

export class SelectTool implements Tool {
  readonly cursor = "default";
  private action: Action | null = null;
  private readonly stage: Stage;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  down(event: ToolEvent): void {
    const { stage } = this;
    stage.host.hover(null);
    if (event.handle) {
      this.pressHandle(event, event.handle);
      return;
    }
    stage.overlay.setActiveHandle("");
    const hits = stage.at(event.x, event.y, event.touch);
    const top = this.preferSelected(hits);
    if (!top) {
      this.action = { kind: "marquee", from: event, before: event.shift ? stage.selection : [] };
      return;
    }
    const wasSelected = stage.selection.includes(top.key);
    if (event.clicks === 2 && wasSelected && this.addCorner(event, top)) return;
    if (event.clicks === 2 && wasSelected && top.ghost) {
      stage.host.accept(top.key);
      return;
    }
    this.action = { kind: "press", event, hits, wasSelected };
    if (event.shift || event.mod) {
      const rest = stage.selection.filter((key) => key !== top.key);
      stage.host.select(wasSelected ? rest : [...rest, top.key]);
    } else if (!wasSelected) stage.host.select([top.key]);
  }

  private preferSelected(hits: readonly Shape[]): Shape | undefined {
    return hits.find((shape) => this.stage.selection.includes(shape.key)) ?? hits[0];
  }

  private pressHandle(event: ToolEvent, id: string): void {
    const key = this.stage.selection[0];
    const shape = key === undefined ? undefined : this.stage.scene.get(key);
    if (!shape || key === undefined) return;
    const { geometry } = shape;
    if (event.alt && geometry.type === "polygon" && id.startsWith("v:")) {
      this.removeCorner(shape, id);
      return;
    }
    if (event.alt && geometry.type === "keypoints") {
      const points = geometry.points.slice();
      const at = 3 * Number(id.slice(2)) + 2;
      points[at] = points[at] === 2 ? 1 : 2;
      this.stage.host.change([{ key, geometry: { ...geometry, points } }]);
      return;
    }
    this.stage.overlay.setActiveHandle(id.startsWith("m:") ? "" : id);
    this.action = { kind: "handle", key, id, from: geometry, now: geometry, moved: false, press: event };
    this.stage.redraw();
  }

  private removeCorner(shape: Shape, id: string): boolean {
    if (shape.geometry.type !== "polygon") return false;
    const [, ring, vertex] = id.split(":").map(Number);
    const geometry = deleteVertex(shape.geometry, ring!, vertex!);
    this.stage.overlay.setActiveHandle("");
    if (!geometry) return false;
    this.stage.host.change([{ key: shape.key, geometry }]);
    return true;
  }

  private addCorner(event: ToolEvent, shape: Shape): boolean {
    const g = shape.geometry;
    if (g.type !== "polygon" || shape.locked || shape.ghost || !this.stage.host.canEdit()) return false;
    const near = nearestSide([...g.rings, ...(g.holes ?? [])], event.x, event.y);
    if (near.distance > this.stage.reach(8)) return false;
    const geometry = insertVertex(g, near.ring, near.side, tidy(event.x), tidy(event.y));
    this.stage.host.change([{ key: shape.key, geometry }]);
    return true;
  }

  move(event: ToolEvent): void {
    const { action } = this;
    if (action?.kind === "press" && far(event, action.event)) this.beginMove(action.event);
    if (this.action?.kind === "handle") this.dragHandle(this.action, event);
    else if (this.action?.kind === "move") this.dragShapes(this.action, event);
    else if (this.action?.kind === "marquee" && far(event, this.action.from))
      this.dragMarquee(this.action, event);
  }

  private beginMove(from: ToolEvent): void {
    const { stage } = this;
    const shapes = stage.selection
      .map((key) => stage.scene.get(key)!)
      .filter((each) => each && !each.locked && !each.ghost);
    if (!shapes.length || !stage.host.canEdit()) {
      this.action = null;
      return;
    }
    const bounds = shapes.reduce<Bounds | null>((all, each) => unite(all, boundsOf(each.geometry)), null)!;
    this.action = { kind: "move", from, shapes, bounds, now: new Map() };
  }

  private dragHandle(action: Extract<Action, { kind: "handle" }>, event: ToolEvent): void {
    if (!action.moved && !far(event, action.press, 2)) return;
    action.moved = true;
    const options = { image: this.stage.image, even: event.shift, central: event.alt, snap: event.mod };
    const x = event.mod ? event.x : tidy(event.x);
    const y = event.mod ? event.y : tidy(event.y);
    // A middle makes its corner once; from then on it is the corner that moves.
    if (action.id.startsWith("m:")) {
      action.from = dragHandle(action.from, action.id, x, y, options);
      action.id = afterInsert(action.id);
      this.stage.overlay.setActiveHandle(action.id);
    }
    action.now = dragHandle(action.from, action.id, x, y, options);
    this.stage.lift(new Map([[action.key, action.now]]));
  }

  private dragShapes(action: Extract<Action, { kind: "move" }>, event: ToolEvent): void {
    let dx = event.x - action.from.x;
    let dy = event.y - action.from.y;
    if (event.shift) {
      if (Math.abs(dx) > Math.abs(dy)) dy = 0;
      else dx = 0;
    }
    const by = keepOn(this.stage.image, action.bounds, tidy(dx, event.mod), tidy(dy, event.mod));
    action.now = new Map(action.shapes.map((shape) => [shape.key, translate(shape.geometry, by.x, by.y)]));
    this.stage.lift(action.now);
  }

  private dragMarquee(action: Extract<Action, { kind: "marquee" }>, event: ToolEvent): void {
    const box = {
      x: Math.min(event.sx, action.from.sx),
      y: Math.min(event.sy, action.from.sy),
      width: Math.abs(event.sx - action.from.sx),
      height: Math.abs(event.sy - action.from.sy),
    };
    const { stage } = this;
    stage.overlay.showMarquee(box);
    const a = toImage(stage.view, box.x, box.y);
    const b = toImage(stage.view, box.x + box.width, box.y + box.height);
    const inside = stage.scene
      .query({ x0: a.x, y0: a.y, x1: b.x, y1: b.y })
      .filter((shape) => {
        const s = boundsOf(shape.geometry);
        return !shape.ghost && !shape.locked && s.x0 >= a.x && s.y0 >= a.y && s.x1 <= b.x && s.y1 <= b.y;
      })
      .map((shape) => shape.key);
    stage.host.select([...new Set([...action.before, ...inside])]);
  }

  up(event: ToolEvent): void {
    const { action, stage } = this;
    this.action = null;
    stage.overlay.showMarquee(null);
    if (action?.kind === "press") this.click(action, event);
    else if (action?.kind === "marquee" && !far(event, action.from) && !event.shift) stage.host.select([]);
    else if (action?.kind === "handle") {
      if (action.moved) stage.host.change([{ key: action.key, geometry: action.now }]);
    } else if (action?.kind === "move") {
      const changes = [...action.now].map(([key, geometry]) => ({ key, geometry }));
      if (changes.length) stage.host.change(changes);
    }
    stage.drop();
  }

  /** A second click at one place takes the next shape below. */
  private click({ event, hits, wasSelected }: Extract<Action, { kind: "press" }>, up: ToolEvent): void {
    if (!wasSelected || event.shift || event.mod || up.clicks > 1) return;
    const at = hits.findIndex((shape) => this.stage.selection.includes(shape.key));
    const next = hits[(at + 1) % hits.length];
    if (next) this.stage.host.select([next.key]);
  }

  hover(event: ToolEvent): void {
    const over = event.handle ? null : this.stage.at(event.x, event.y, false)[0];
    this.stage.host.hover(over?.key ?? null);
  }

  cancel(): boolean {
    const busy = this.action !== null && this.action.kind !== "press";
    this.action = null;
    this.stage.overlay.showMarquee(null);
    this.stage.drop();
    if (busy) return true;
    if (!this.stage.selection.length) return false;
    this.stage.host.select([]);
    return true;
  }

  drop(): void {
    this.action = null;
    this.stage.overlay.showMarquee(null);
    this.stage.drop();
  }

  finish(): boolean {
    return false;
  }

  /** Delete first takes the corner that was clicked last. */
  back(): boolean {
    const id = this.stage.overlay.activeHandle;
    const shape =
      this.stage.selection.length === 1 ? this.stage.scene.get(this.stage.selection[0]!) : undefined;
    if (!shape || shape.locked || !id.startsWith("v:") || !this.stage.host.canEdit()) return false;
    return this.removeCorner(shape, id);
  }

  leave(): void {
    this.action = null;
    this.stage.overlay.setActiveHandle("");
    this.stage.overlay.showMarquee(null);
    this.stage.drop();
  }
}

function far(a: ToolEvent, b: ToolEvent, pixels = DRAG): boolean {
  return Math.hypot(a.sx - b.sx, a.sy - b.sy) > (a.touch ? 3 * pixels : pixels);
}
