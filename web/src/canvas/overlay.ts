/** The SVG above the canvases: selected shapes with their handles, the shape under the cursor, and what is being drawn. */
import { boundsOf, ringsOf } from "./geometry";
import { type Handle, handlesOf } from "./handles";
import type { Geometry, Keypoints, Shape } from "./types";
import { seen, type View } from "./view";

const SVG = "http://www.w3.org/2000/svg";
const MOST_SHAPES = 60;

export interface Draft {
  geometry: Geometry | null;
  color: string;
  /** Points of an open line that is being drawn, x, y, ... */
  line?: readonly number[];
  /** Points that are shown as dots. */
  dots?: readonly number[];
  /** Only its edge: the area is painted elsewhere. */
  hollow?: boolean;
  /** The first dot can be clicked to end. */
  closing?: boolean;
  skeleton?: readonly (readonly [number, number])[];
  names?: readonly string[];
}

interface Drawn {
  group: SVGGElement;
  halo: SVGPathElement;
  path: SVGPathElement;
  geometry: Geometry | null;
  scale: number;
}

export class Overlay {
  readonly root: SVGSVGElement;
  private readonly shapes: SVGGElement;
  private readonly hovered: SVGPathElement;
  private readonly handles: SVGGElement;
  private readonly draft: SVGGElement;
  private readonly draftPath: SVGPathElement;
  private readonly draftDots: SVGGElement;
  private readonly marquee: SVGRectElement;
  private readonly brush: SVGCircleElement;
  private readonly tag: SVGGElement;
  private readonly drawn = new Map<string, Drawn>();
  private readonly pool = new Map<string, SVGGElement>();
  private active = "";

  constructor(root: SVGSVGElement) {
    this.root = root;
    root.replaceChildren();
    this.hovered = add(root, "path", { class: "cs-hovered" });
    this.shapes = add(root, "g");
    this.draft = add(root, "g", { class: "cs-draft" });
    this.draftPath = add(this.draft, "path");
    this.draftDots = add(this.draft, "g");
    this.handles = add(root, "g", { class: "cs-handles" });
    this.marquee = add(root, "rect", { class: "cs-marquee", visibility: "hidden" });
    this.brush = add(root, "circle", { class: "cs-brush", visibility: "hidden" });
    this.tag = add(root, "g", { class: "cs-tag", visibility: "hidden" });
    add(this.tag, "rect", { rx: 3 });
    add(this.tag, "text", { y: 12, x: 5 });
  }

  /** Show the selected shapes; handles only where there is one that may be changed. */
  showSelected(shapes: readonly Shape[], view: View, width: number, height: number, editable: boolean): void {
    const some = shapes.slice(0, MOST_SHAPES);
    const keys = new Set(some.map((shape) => shape.key));
    for (const [key, drawn] of this.drawn) {
      if (keys.has(key)) continue;
      drawn.group.remove();
      this.drawn.delete(key);
    }
    for (const shape of some) this.showShape(shape, view);
    const only = shapes.length === 1 ? shapes[0]! : null;
    this.showHandles(only && editable && !only.locked && !only.ghost ? only : null, view, width, height);
  }

  private showShape(shape: Shape, view: View): void {
    let drawn = this.drawn.get(shape.key);
    if (!drawn) {
      const group = add(this.shapes, "g", { "data-key": shape.key, class: "cs-selected" });
      const halo = add(group, "path", { class: "cs-halo" });
      drawn = { group, halo, path: add(group, "path", { class: "cs-line" }), geometry: null, scale: 0 };
      this.drawn.set(shape.key, drawn);
    }
    if (drawn.geometry !== shape.geometry) {
      const d = pathOf(shape.geometry, shape.skeleton);
      drawn.path.setAttribute("d", d);
      drawn.halo.setAttribute("d", d);
      drawn.geometry = shape.geometry;
    }
    set(drawn.path, "stroke", shape.color);
    const areal = shape.geometry.type !== "mask" && shape.geometry.type !== "keypoints";
    set(drawn.path, "fill", areal ? shape.color : "none");
    set(drawn.group, "data-type", shape.geometry.type);
    set(drawn.group, "data-ghost", String(shape.ghost));
    set(drawn.group, "transform", `matrix(${view.scale} 0 0 ${view.scale} ${view.x} ${view.y})`);
  }

  private showHandles(shape: Shape | null, view: View, width: number, height: number): void {
    let handles: Handle[] = shape ? handlesOf(shape.geometry, 24 / view.scale, shape.pointNames) : [];
    if (handles.length > 200) handles = sparse(handles, view, width, height);
    const ids = new Set(handles.map((handle) => handle.id));
    for (const [id, element] of this.pool) {
      if (ids.has(id)) continue;
      element.remove();
      this.pool.delete(id);
    }
    for (const handle of handles) {
      let element = this.pool.get(handle.id);
      if (!element) {
        element = this.makeHandle(handle);
        this.pool.set(handle.id, element);
      }
      const x = Math.round((handle.x * view.scale + view.x) * 10) / 10;
      const y = Math.round((handle.y * view.scale + view.y) * 10) / 10;
      set(element, "transform", `translate(${x} ${y})`);
      set(element, "class", `cs-handle cs-${handle.shape}${handle.id === this.active ? " cs-active" : ""}`);
      if (shape) set(element, "stroke", shape.color);
    }
  }

  private makeHandle(handle: Handle): SVGGElement {
    const element = add(this.handles, "g", { "data-handle": handle.id, style: `cursor:${handle.cursor}` });
    add(element, "circle", { r: 9, class: "cs-grip" });
    if (handle.shape === "square")
      add(element, "rect", { x: -4, y: -4, width: 8, height: 8, rx: 1.5, class: "cs-knob" });
    else add(element, "circle", { r: handle.shape === "middle" ? 3 : 4.5, class: "cs-knob" });
    if (handle.shape === "point" || handle.shape === "hidden-point") {
      add(element, "text", { x: 8, y: -6, class: "cs-point-name" }).textContent = handle.name;
    }
    add(element, "title").textContent = handle.name;
    return element;
  }

  /** Mark a corner as the one that Delete takes away. */
  setActiveHandle(id: string): void {
    this.active = id;
  }

  get activeHandle(): string {
    return this.active;
  }

  showHovered(shape: Shape | null, view: View, selected: boolean): void {
    if (!shape || selected) {
      set(this.hovered, "visibility", "hidden");
    } else {
      set(this.hovered, "visibility", "visible");
      set(this.hovered, "d", pathOf(shape.geometry, shape.skeleton));
      set(this.hovered, "stroke", shape.color);
      set(this.hovered, "transform", `matrix(${view.scale} 0 0 ${view.scale} ${view.x} ${view.y})`);
    }
    if (!shape) {
      set(this.tag, "visibility", "hidden");
      return;
    }
    const b = boundsOf(shape.geometry);
    const text = this.tag.lastChild as SVGTextElement;
    if (text.textContent !== shape.text) text.textContent = shape.text;
    const wide = shape.text.length * 6.6 + 10;
    set(this.tag.firstChild as SVGElement, "width", wide);
    set(this.tag.firstChild as SVGElement, "height", 17);
    set(this.tag.firstChild as SVGElement, "fill", shape.color);
    const x = Math.max(2, b.x0 * view.scale + view.x);
    const y = Math.max(2, b.y0 * view.scale + view.y - 21);
    set(this.tag, "transform", `translate(${x} ${y})`);
    set(this.tag, "visibility", "visible");
  }

  showDraft(draft: Draft | null, view: View): void {
    if (!draft) {
      set(this.draft, "visibility", "hidden");
      return;
    }
    set(this.draft, "visibility", "visible");
    set(this.draft, "stroke", draft.color);
    const open = draft.line && draft.line.length > 2 ? `M${draft.line.join(" ")}` : "";
    const d = (draft.geometry ? pathOf(draft.geometry, draft.skeleton ?? []) : "") + open;
    set(this.draftPath, "d", d);
    const filled = draft.geometry !== null && draft.geometry.type !== "keypoints" && !draft.hollow;
    set(this.draftPath, "fill", filled ? draft.color : "none");
    set(this.draftPath, "transform", `matrix(${view.scale} 0 0 ${view.scale} ${view.x} ${view.y})`);
    const dots = draft.dots ?? [];
    while (this.draftDots.childElementCount > dots.length / 2) this.draftDots.lastElementChild!.remove();
    while (this.draftDots.childElementCount < dots.length / 2) add(this.draftDots, "circle", { r: 4 });
    for (let i = 0; 2 * i < dots.length; i += 1) {
      const dot = this.draftDots.children[i] as SVGElement;
      set(dot, "cx", dots[2 * i]! * view.scale + view.x);
      set(dot, "cy", dots[2 * i + 1]! * view.scale + view.y);
      set(dot, "class", i === 0 && draft.closing ? "cs-closing" : "");
      set(dot, "r", i === 0 && draft.closing ? 6 : 4);
    }
  }

  /** The rectangle that selects, in CSS pixels. */
  showMarquee(box: { x: number; y: number; width: number; height: number } | null): void {
    set(this.marquee, "visibility", box ? "visible" : "hidden");
    if (box) for (const [name, value] of Object.entries(box)) set(this.marquee, name, value);
  }

  /** The round brush, in CSS pixels. */
  showBrush(x: number, y: number, radius: number, color: string | null): void {
    set(this.brush, "visibility", color ? "visible" : "hidden");
    if (!color) return;
    set(this.brush, "cx", x);
    set(this.brush, "cy", y);
    set(this.brush, "r", Math.max(1.5, radius));
    set(this.brush, "stroke", color);
  }
}

function sparse(handles: Handle[], view: View, width: number, height: number): Handle[] {
  const part = seen(view, width, height, 8);
  const taken = new Set<number>();
  const cell = 11 / view.scale;
  return handles.filter(({ x, y }) => {
    if (x < part.x0 || x > part.x1 || y < part.y0 || y > part.y1) return false;
    const at = Math.floor(x / cell) * 65536 + Math.floor(y / cell);
    return !taken.has(at) && taken.add(at) !== undefined;
  });
}

function pathOf(g: Geometry, skeleton: readonly (readonly [number, number])[]): string {
  if (g.type === "keypoints") return bonesOf(g, skeleton);
  if (g.type === "mask") {
    const b = boundsOf(g);
    return `M${b.x0} ${b.y0}H${b.x1}V${b.y1}H${b.x0}Z`;
  }
  return ringsOf(g)
    .map((ring) => `M${ring.map((value) => Math.round(value * 100) / 100).join(" ")}Z`)
    .join("");
}

function bonesOf({ points }: Keypoints, skeleton: readonly (readonly [number, number])[]): string {
  let d = "";
  for (const [a, b] of skeleton) {
    if (!points[3 * a + 2] || !points[3 * b + 2]) continue;
    d += `M${points[3 * a]} ${points[3 * a + 1]}L${points[3 * b]} ${points[3 * b + 1]}`;
  }
  return d;
}

function add<Name extends keyof SVGElementTagNameMap>(
  parent: Element,
  name: Name,
  attributes: Record<string, string | number> = {},
) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  parent.append(element);
  return element;
}

const last = new WeakMap<Element, Record<string, string | number>>();

/** Set an attribute only if it is another: style and layout notice every write. */
function set(element: Element, name: string, value: string | number): void {
  let known = last.get(element);
  if (!known) {
    known = {};
    last.set(element, known);
  }
  if (known[name] === value) return;
  known[name] = value;
  element.setAttribute(name, String(value));
}
