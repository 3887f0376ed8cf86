import { ActionIcon, Popover, Slider, Tooltip } from "@mantine/core";
import {
  Brush,
  Circle,
  Eraser,
  GraduationCap,
  type LucideIcon,
  MessageCircleQuestionMark,
  MousePointer2,
  Pentagon,
  Redo2,
  SlidersHorizontal,
  Spline,
  Square,
  Undo2,
  WandSparkles,
} from "lucide-react";
import { useEffect, useState } from "react";
import type { ToolName } from "~/canvas/tool";
import { KeyHint } from "~/ui/KeyHint";
import { useEditor } from "./context";
import { DisplayMenu } from "./DisplayMenu";
import classes from "./editor.module.css";
import { editorShortcuts } from "./shortcuts";
import { setUi, useUi } from "./ui";

const TOOLS: { name: ToolName; icon: LucideIcon; label: string }[] = [
  { name: "select", icon: MousePointer2, label: "Select" },
  { name: "box", icon: Square, label: "Box" },
  { name: "polygon", icon: Pentagon, label: "Polygon" },
  { name: "ellipse", icon: Circle, label: "Ellipse" },
  { name: "brush", icon: Brush, label: "Brush" },
  { name: "eraser", icon: Eraser, label: "Eraser" },
  { name: "keypoints", icon: Spline, label: "Keypoints" },
  { name: "smart", icon: WandSparkles, label: "Smart" },
];

/** Buttons do not take the focus from the canvas: Space must go on to pan. */
const stay = (event: React.MouseEvent) => event.preventDefault();

function Tip({ label, keys }: { label: string; keys: string | undefined }) {
  return (
    <span className={classes.tip}>
      {label} {keys && <KeyHint keys={keys} />}
    </span>
  );
}

export function ToolRail() {
  const { controller, readOnly } = useEditor();
  const tool = useUi((ui) => ui.tool);
  const learning = useUi((ui) => ui.learning && !ui.asking);
  const asking = useUi((ui) => ui.asking);
  return (
    <div className={classes.rail} role="toolbar" aria-label="Tools" aria-orientation="vertical">
      {TOOLS.map(({ name, icon: Icon, label }) => (
        <Tooltip
          key={name}
          position="right"
          label={<Tip label={label} keys={editorShortcuts.shortcuts[name].keys[0]} />}
        >
          <ActionIcon
            size={32}
            variant={tool === name ? "filled" : "subtle"}
            color={tool === name ? "seal" : "gray"}
            aria-label={label}
            aria-pressed={tool === name}
            disabled={readOnly && name !== "select"}
            onMouseDown={stay}
            onClick={() => controller.setTool(name)}
          >
            <Icon size={17} />
          </ActionIcon>
        </Tooltip>
      ))}
      {(tool === "brush" || tool === "eraser") && <BrushSize />}
      <div className={classes.railGap} />
      <HistoryButtons />
      <Popover position="right-end" shadow="md" width={260}>
        <Popover.Target>
          <Tooltip position="right" label="Display">
            <ActionIcon size={32} aria-label="Display" onMouseDown={stay}>
              <SlidersHorizontal size={17} />
            </ActionIcon>
          </Tooltip>
        </Popover.Target>
        <Popover.Dropdown>
          <DisplayMenu />
        </Popover.Dropdown>
      </Popover>
      <Tooltip position="right" label={<Tip label="Ask about the image" keys="q" />}>
        <ActionIcon
          size={32}
          variant={asking ? "light" : "subtle"}
          color={asking ? "seal" : "gray"}
          aria-label="Ask about the image"
          aria-pressed={asking}
          onMouseDown={stay}
          onClick={() => setUi({ asking: !asking })}
        >
          <MessageCircleQuestionMark size={18} />
        </ActionIcon>
      </Tooltip>
      <Tooltip position="right" label={<Tip label="Learning panel" keys="t" />}>
        <ActionIcon
          size={32}
          variant={learning ? "light" : "subtle"}
          color={learning ? "seal" : "gray"}
          aria-label="Learning panel"
          aria-pressed={learning}
          onMouseDown={stay}
          onClick={() => setUi({ learning: !learning, asking: false })}
        >
          <GraduationCap size={18} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function BrushSize() {
  const { controller } = useEditor();
  const brush = useUi((ui) => ui.brush);
  return (
    <Popover position="right" shadow="md" width={220}>
      <Popover.Target>
        <button
          type="button"
          className={classes.brushSize}
          aria-label={`Brush size ${brush} pixels`}
          onMouseDown={stay}
        >
          <span className={classes.brushDot} style={{ width: dot(brush), height: dot(brush) }} />
          {brush}
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={classes.field}>
          <span>Brush size</span>
          <span className={classes.dim}>
            {brush} px <KeyHint keys="[" /> <KeyHint keys="]" />
          </span>
        </div>
        <Slider
          label={null}
          min={0}
          max={100}
          value={Math.round((100 * Math.log(brush)) / Math.log(400))}
          onChange={(value) => controller.setBrush(Math.exp((value / 100) * Math.log(400)))}
          thumbLabel="Brush size"
        />
      </Popover.Dropdown>
    </Popover>
  );
}

function dot(size: number): number {
  return 3 + (15 * Math.log(size)) / Math.log(400);
}

function HistoryButtons() {
  const { controller, session, imageId, field } = useEditor();
  const { history } = session.document(imageId, field);
  const [, redraw] = useState(0);
  useEffect(() => history.onChange(() => redraw((now) => now + 1)), [history]);
  return (
    <>
      <Tooltip position="right" label={<Tip label="Undo" keys="mod+z" />}>
        <ActionIcon
          size={32}
          aria-label="Undo"
          disabled={!history.canUndo}
          onMouseDown={stay}
          onClick={() => controller.edits.undo()}
        >
          <Undo2 size={17} />
        </ActionIcon>
      </Tooltip>
      <Tooltip position="right" label={<Tip label="Redo" keys="mod+shift+z" />}>
        <ActionIcon
          size={32}
          aria-label="Redo"
          disabled={!history.canRedo}
          onMouseDown={stay}
          onClick={() => controller.edits.redo()}
        >
          <Redo2 size={17} />
        </ActionIcon>
      </Tooltip>
    </>
  );
}
