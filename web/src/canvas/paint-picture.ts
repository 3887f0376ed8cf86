/** Draws a picture on a 2D context in device pixels: the level that is fine enough, and the pixels' edges far in. */
import { levelFor, type Picture } from "./pictures";
import type { Size } from "./types";
import { seen, type View } from "./view";

const GRID_FROM = 24; // device pixels for one pixel of the image

export function paintPicture(
  context: CanvasRenderingContext2D,
  picture: Picture,
  image: Size,
  view: View,
): void {
  context.imageSmoothingEnabled = view.scale < 4;
  context.imageSmoothingQuality = "low"; // the level is already near the size on screen
  const { width, height } = image;
  context.drawImage(levelFor(picture, view.scale), view.x, view.y, width * view.scale, height * view.scale);
  if (view.scale >= GRID_FROM) paintGrid(context, image, view);
}

/** Lines between pixels. */
function paintGrid(context: CanvasRenderingContext2D, image: Size, view: View): void {
  const part = seen(view, context.canvas.width, context.canvas.height);
  const [x0, x1] = [Math.max(0, Math.floor(part.x0)), Math.min(image.width, Math.ceil(part.x1))];
  const [y0, y1] = [Math.max(0, Math.floor(part.y0)), Math.min(image.height, Math.ceil(part.y1))];
  context.strokeStyle = "rgba(128,128,128,0.25)";
  context.lineWidth = 1;
  context.beginPath();
  for (let x = x0; x <= x1; x += 1) {
    const at = Math.round(x * view.scale + view.x) + 0.5;
    context.moveTo(at, y0 * view.scale + view.y);
    context.lineTo(at, y1 * view.scale + view.y);
  }
  for (let y = y0; y <= y1; y += 1) {
    const at = Math.round(y * view.scale + view.y) + 0.5;
    context.moveTo(x0 * view.scale + view.x, at);
    context.lineTo(x1 * view.scale + view.x, at);
  }
  context.stroke();
}
