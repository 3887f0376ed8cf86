import { useEffect, useRef } from "react";
import type { Geometry, Label } from "~/api";
import { decodeCounts } from "~/canvas/rle";
import { colorOf } from "./colors";
import classes from "./ui.module.css";

type Drawn = Pick<Label, "class_name" | "geometry" | "state">;

export type Skeletons = ReadonlyMap<string, readonly (readonly number[])[]>;

interface Props {
  labels: readonly Drawn[];
  /** Size of the image in its own pixels. */
  width: number;
  height: number;
  /** Size on screen; the picture fills it without being cut (object-fit: contain). */
  shown: { width: number; height: number };
  colors: ReadonlyMap<string, string>;
  /** Which points of a class are joined by lines, counted from 0. */
  skeletons?: Skeletons;
  /** Part of the image that is shown; default: all of it. */
  region?: { x: number; y: number; width: number; height: number };
}

/** The labels of a small picture, drawn on one canvas above it. */
export function LabelOverlay({ labels, width, height, shown, colors, skeletons, region }: Props) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = Math.round(shown.width * ratio);
    canvas.height = Math.round(shown.height * ratio);
    const part = region ?? { x: 0, y: 0, width, height };
    const scale = Math.min(shown.width / part.width, shown.height / part.height);
    const left = (shown.width - part.width * scale) / 2 - part.x * scale;
    const top = (shown.height - part.height * scale) / 2 - part.y * scale;
    context.setTransform(ratio * scale, 0, 0, ratio * scale, left * ratio, top * ratio);
    drawLabels(context, labels, colors, 1.5 / scale, { width, skeletons });
  }, [labels, width, height, shown.width, shown.height, colors, skeletons, region]);
  return <canvas ref={ref} className={classes.overlay} aria-hidden="true" />;
}

/**
 * Draw labels in image pixels; `line` is the width of a line in image pixels. Masks may come at a fraction of the
 * image's size: `width`, in pixels of the image, says how large they are meant.
 */
export function drawLabels(
  context: CanvasRenderingContext2D,
  labels: readonly Drawn[],
  colors: ReadonlyMap<string, string>,
  line: number,
  more: { width?: number; skeletons?: Skeletons } = {},
): void {
  context.lineJoin = "round";
  for (const label of labels) {
    if (!label.geometry) continue;
    const color = colorOf(label.class_name, colors);
    if (label.geometry.type === "mask") {
      const scale = (more.width ?? label.geometry.width) / label.geometry.width;
      context.globalAlpha = label.state === "rejected" ? 0.2 : label.state === "proposed" ? 0.45 : 0.6;
      context.fillStyle = color;
      context.fill(painted(label.geometry, scale));
      continue;
    }
    const path = outline(label.geometry, line, more.skeletons?.get(label.class_name));
    context.globalAlpha = label.state === "rejected" ? 0.35 : 1;
    context.setLineDash(label.state === "proposed" ? [line * 3, line * 2] : []);
    context.lineWidth = line * 2;
    context.strokeStyle = "rgba(0, 0, 0, 0.35)";
    context.stroke(path);
    context.lineWidth = line;
    context.strokeStyle = color;
    context.stroke(path);
    if (label.geometry.type !== "keypoints") {
      context.globalAlpha *= label.geometry.type === "box" ? 0.08 : 0.22;
      context.fillStyle = color;
      context.fill(path, "evenodd");
    }
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
}

/** The pixels of a mask, column by column. */
function painted(mask: Extract<Geometry, { type: "mask" }>, scale: number): Path2D {
  const path = new Path2D();
  const add = (x: number, y: number, width: number, height: number) =>
    path.rect(x * scale, y * scale, width * scale, height * scale);
  let at = 0;
  for (const [i, run] of decodeCounts(mask.counts).entries()) {
    const end = at + run;
    while (i % 2 && at < end) {
      const [x, y] = [Math.floor(at / mask.height), at % mask.height];
      const whole = y === 0 ? Math.floor((end - at) / mask.height) : 0;
      const length = whole ? whole * mask.height : Math.min(end - at, mask.height - y);
      add(x, y, Math.max(1, whole), Math.min(length, mask.height));
      at += length;
    }
    at = end;
  }
  return path;
}

function outline(geometry: Geometry, line: number, skeleton?: readonly (readonly number[])[]): Path2D {
  const path = new Path2D();
  switch (geometry.type) {
    case "box":
      path.rect(geometry.x, geometry.y, geometry.width, geometry.height);
      break;
    case "polygon":
      for (const ring of [...geometry.rings, ...(geometry.holes ?? [])]) {
        for (let i = 0; i + 1 < ring.length; i += 2) {
          if (i === 0) path.moveTo(ring[0]!, ring[1]!);
          else path.lineTo(ring[i]!, ring[i + 1]!);
        }
        path.closePath();
      }
      break;
    case "ellipse":
      path.ellipse(
        geometry.cx,
        geometry.cy,
        geometry.rx,
        geometry.ry,
        ((geometry.angle ?? 0) * Math.PI) / 180,
        0,
        7,
      );
      break;
    case "keypoints":
      for (let i = 0; i + 2 < geometry.points.length; i += 3) {
        if (!geometry.points[i + 2]) continue;
        const [x, y] = [geometry.points[i]!, geometry.points[i + 1]!];
        path.moveTo(x + line, y);
        path.arc(x, y, line, 0, 7);
      }
      for (const [a = -1, b = -1] of skeleton ?? []) {
        const { points } = geometry;
        if (!points[3 * a + 2] || !points[3 * b + 2]) continue;
        path.moveTo(points[3 * a]!, points[3 * a + 1]!);
        path.lineTo(points[3 * b]!, points[3 * b + 1]!);
      }
      break;
    default:
      break; // masks are painted, not outlined
  }
  return path;
}
