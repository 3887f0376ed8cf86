/** All shapes of the image on screen, by key and by place. Whoever draws is told which part of the image changed. */
import { boundsOf } from "./geometry";
import { Grid } from "./grid";
import type { Bounds, Shape } from "./types";

interface Node {
  shape: Shape;
  order: number;
}

/** Told of what must be drawn again: a part of the image, or null for all of it. */
export type DirtyListener = (dirty: Bounds | null) => void;

export class Scene {
  private readonly nodes = new Map<string, Node>();
  private readonly grid = new Grid();
  private readonly listeners = new Set<DirtyListener>();
  private next = 0;

  get size(): number {
    return this.nodes.size;
  }

  get(key: string): Shape | undefined {
    return this.nodes.get(key)?.shape;
  }

  *all(): Generator<Shape> {
    for (const node of this.nodes.values()) yield node.shape;
  }

  onDirty(listener: DirtyListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Put shapes in, or others in the place of those with the same key. */
  put(...shapes: Shape[]): void {
    const dirty: Bounds[] = [];
    for (const shape of shapes) {
      const old = this.nodes.get(shape.key);
      const bounds = boundsOf(shape.geometry);
      if (old) dirty.push(boundsOf(old.shape.geometry));
      if (old?.shape.geometry !== shape.geometry) this.grid.put(shape.key, bounds);
      this.nodes.set(shape.key, { shape, order: old?.order ?? this.next++ });
      dirty.push(bounds);
    }
    this.tell(dirty);
  }

  remove(...keys: string[]): void {
    const dirty: Bounds[] = [];
    for (const key of keys) {
      const old = this.nodes.get(key);
      if (!old) continue;
      this.nodes.delete(key);
      this.grid.take(key);
      dirty.push(boundsOf(old.shape.geometry));
    }
    this.tell(dirty);
  }

  /** All others go. */
  reset(shapes: Iterable<Shape>): void {
    this.nodes.clear();
    this.grid.clear();
    for (const shape of shapes) {
      this.nodes.set(shape.key, { shape, order: this.next++ });
      this.grid.put(shape.key, boundsOf(shape.geometry));
    }
    for (const listener of this.listeners) listener(null);
  }

  /** Visible shapes that meet a part of the image, the lowest first. */
  query(bounds: Bounds): Shape[] {
    const found: Node[] = [];
    for (const key of this.grid.query(bounds)) {
      const node = this.nodes.get(key)!;
      if (!node.shape.hidden) found.push(node);
    }
    found.sort((a, b) => a.shape.z - b.shape.z || a.order - b.order);
    return found.map((node) => node.shape);
  }

  private tell(dirty: Bounds[]): void {
    if (!dirty.length) return;
    // Many at once (a class gets another colour): one look over all is cheaper than a thousand patches.
    if (dirty.length > 64) for (const listener of this.listeners) listener(null);
    else for (const bounds of dirty) for (const listener of this.listeners) listener(bounds);
  }
}
