import { areaOf, boundsOf } from "~/canvas/geometry";
import { count, many } from "~/ui/format";
import { useEditor, useLabels } from "./context";
import classes from "./editor.module.css";
import { useUi } from "./ui";

const HINTS: Record<string, string> = {
  select: "Click selects, drag moves; a rectangle over empty space selects many",
  box: "Drag a box",
  polygon: "Click corner by corner, or drag along the outline",
  ellipse: "Drag an ellipse",
  brush: "Paint; Alt erases; Enter ends the mask",
  eraser: "Rub out of the selected mask; Alt paints",
  keypoints: "Click the points in their order",
  smart: "Click an object; Alt or right click leaves out; drag a box; Enter keeps the mask",
};

/** Below the image: where the cursor is, what is selected, what to do next. */
export function StatusBar() {
  const hint = useUi((ui) => ui.hint || HINTS[ui.tool]);
  return (
    <footer className={classes.status}>
      <span className={classes.grow}>{hint}</span>
      <Selected />
      <Cursor />
    </footer>
  );
}

function Cursor() {
  const { image } = useEditor();
  const cursor = useUi((ui) => ui.cursor);
  const inside =
    cursor && image && cursor.x >= 0 && cursor.y >= 0 && cursor.x < image.width && cursor.y < image.height;
  return (
    <span className={classes.cursor}>{inside ? `${Math.floor(cursor.x)}, ${Math.floor(cursor.y)}` : ""}</span>
  );
}

function Selected() {
  const labels = useLabels();
  const selection = useUi((ui) => ui.selection);
  if (selection.length > 1) return <span>{many(selection.length, "label")} selected</span>;
  const label = selection.length ? labels.find((each) => each.key === selection[0]) : undefined;
  if (!label?.geometry) return null;
  const b = boundsOf(label.geometry);
  const size = `${round(b.x1 - b.x0)} × ${round(b.y1 - b.y0)} px`;
  const g = label.geometry;
  const more =
    g.type === "polygon"
      ? ` · ${many(
          [...g.rings, ...(g.holes ?? [])].reduce((sum, ring) => sum + ring.length / 2, 0),
          "corner",
        )}`
      : g.type === "mask"
        ? ` · ${count(areaOf(g))} px painted`
        : "";
  return (
    <span>
      {label.className} · {size}
      {more}
    </span>
  );
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
