import { useEffect, useRef } from "react";
import type { Geometry, Label } from "~/api";
import { colorOf } from "./colors";
import classes from "./ui.module.css";

type Drawn = Pick<Label, "class_name" | "geometry" | "state">;

interface Props {
  labels: readonly Drawn[];
  /** Size of the image in its own pixels. */
  width: number;
  height: number;
  /** Size on screen; the picture fills it without being cut (object-fit: contain). */
  shown: { width: number; height: number };
  colors: ReadonlyMap<string, string>;
  /** Part of the image that is shown; default: all of it. */
  region?: { x: number; y: number; width: number; height: number };
}

/** The labels of a small picture, drawn on one canvas above it. */
export function LabelOverlay({ labels, width, height, shown, colors, region }: Props) {
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
    drawLabels(context, labels, colors, 1.5 / scale);
  }, [labels, width, height, shown.width, shown.height, colors, region]);
  return <canvas ref={ref} className={classes.overlay} aria-hidden="true" />;
}

/** Draw labels in image pixels; `line` is the width of a line in image pixels. */
export function drawLabels(
  context: CanvasRenderingContext2D,
  labels: readonly Drawn[],
  colors: ReadonlyMap<string, string>,
  line: number,
): void {
  context.lineJoin = "round";
  for (const label of labels) {
    if (!label.geometry) continue;
    const path = outline(label.geometry, line);
    const color = colorOf(label.class_name, colors);
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

function outline(geometry: Geometry, line: number): Path2D {
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
        path.moveTo(x + line * 2, y);
        path.arc(x, y, line * 2, 0, 7);
      }
      break;
    default:
      break; // masks come as bounds where pictures are small
  }
  return path;
}
