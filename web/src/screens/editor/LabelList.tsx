import { ActionIcon, Tooltip } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  Brush,
  Circle,
  Eye,
  EyeOff,
  Image as ImageIcon,
  Lock,
  LockOpen,
  type LucideIcon,
  Pentagon,
  Spline,
  Square,
  Trash2,
} from "lucide-react";
import { memo, useEffect, useMemo, useRef } from "react";
import type { EditorLabel } from "~/editor/model";
import { colorOf } from "~/ui/colors";
import { count } from "~/ui/format";
import { useEditor, useLabels, useLoaded } from "./context";
import type { Controller } from "./controller";
import classes from "./editor.module.css";
import styles from "./labelList.module.css";
import { setUi, useUi } from "./ui";

const ICONS: Record<string, LucideIcon> = {
  box: Square,
  polygon: Pentagon,
  ellipse: Circle,
  mask: Brush,
  keypoints: Spline,
};
const ROW = 30;

/** All labels of the image, the newest last; only the rows in sight are there. */
export function LabelList() {
  const { controller, labelClasses, readOnly, session } = useEditor();
  const labels = useLabels();
  const loaded = useLoaded();
  const selection = useUi((ui) => ui.selection);
  const hidden = useUi((ui) => ui.hidden);
  const locked = useUi((ui) => ui.locked);
  const allHidden = useUi((ui) => ui.allHidden);
  const hovered = useUi((ui) => ui.hovered);
  const anchor = useRef<string | null>(null);
  const root = useRef<HTMLDivElement>(null);
  const colors = useMemo(() => new Map(labelClasses.map((each) => [each.name, each.color])), [labelClasses]);
  const conflicts = new Set(session.allConflicts().map((each) => each.key));
  const rows = useVirtualizer({
    count: labels.length,
    getScrollElement: () => root.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  const first = selection[0];
  useEffect(() => {
    const at = first === undefined ? -1 : labels.findIndex((label) => label.key === first);
    if (at >= 0) rows.scrollToIndex(at, { align: "auto" });
  }, [first, labels, rows]);

  const click = (event: React.MouseEvent, key: string) => {
    if (event.shiftKey && anchor.current !== null) {
      const keys = labels.map((label) => label.key);
      const [a, b] = [keys.indexOf(anchor.current), keys.indexOf(key)];
      controller.select(keys.slice(Math.min(a, b), Math.max(a, b) + 1));
      return;
    }
    anchor.current = key;
    if (event.ctrlKey || event.metaKey) {
      controller.select(
        selection.includes(key) ? selection.filter((each) => each !== key) : [...selection, key],
      );
    } else {
      controller.select([key]);
      controller.engine?.reveal(key);
    }
  };
  return (
    <section className={styles.labels} aria-label="Labels of this image">
      <div className={classes.head}>
        <h2>
          Labels <span className={classes.dim}>{loaded ? count(labels.length) : ""}</span>
        </h2>
        <Tooltip label={allHidden ? "Show all (Shift + H)" : "Hide all (Shift + H)"}>
          <ActionIcon
            size={22}
            aria-label={allHidden ? "Show all labels" : "Hide all labels"}
            onClick={() => setUi({ allHidden: !allHidden })}
          >
            {allHidden ? <EyeOff size={14} /> : <Eye size={14} />}
          </ActionIcon>
        </Tooltip>
      </div>
      {loaded && labels.length === 0 && (
        <p className={classes.quiet}>
          {readOnly
            ? "This image has no labels in this field."
            : "No labels yet. Choose a tool (B box, P polygon, M brush) and draw."}
        </p>
      )}
      <div className={styles.rows} ref={root}>
        <div
          style={{ height: rows.getTotalSize(), position: "relative" }}
          role="listbox"
          aria-label="Labels"
          aria-multiselectable
        >
          {rows.getVirtualItems().map(({ index, start }) => {
            const label = labels[index];
            return label ? (
              <Row
                key={label.key}
                label={label}
                top={start}
                color={colorOf(label.className, colors)}
                selected={selection.includes(label.key)}
                hovered={hovered === label.key}
                hidden={hidden.has(label.key)}
                locked={locked.has(label.key)}
                conflict={conflicts.has(label.key)}
                readOnly={readOnly}
                controller={controller}
                onClick={click}
              />
            ) : null;
          })}
        </div>
      </div>
    </section>
  );
}

interface RowProps {
  label: EditorLabel;
  top: number;
  color: string;
  selected: boolean;
  hovered: boolean;
  hidden: boolean;
  locked: boolean;
  conflict: boolean;
  readOnly: boolean;
  controller: Controller;
  onClick: (event: React.MouseEvent, key: string) => void;
}

const Row = memo(function Row({
  label,
  top,
  color,
  selected,
  hovered,
  hidden,
  locked,
  conflict,
  readOnly,
  controller,
  onClick,
}: RowProps) {
  const Icon = ICONS[label.geometry?.type ?? ""] ?? ImageIcon;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Tab and Shift + Tab go through the labels
    // biome-ignore lint/a11y/useFocusableInteractive: the canvas keeps the focus
    <div
      role="option"
      aria-selected={selected}
      aria-label={`${label.className}, ${label.geometry?.type ?? "image"}`}
      className={styles.row}
      data-selected={selected || undefined}
      data-hovered={hovered || undefined}
      data-hidden={hidden || undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => onClick(event, label.key)}
      onDoubleClick={() => controller.engine?.showShapes([label.key])}
      onMouseEnter={() => setUi({ hovered: label.key })}
      onMouseLeave={() => setUi({ hovered: null })}
    >
      <Icon size={13} color={color} className={styles.rowIcon} />
      <span className="cs-truncate">{label.className}</span>
      {conflict && <span className={styles.conflictMark}>conflict</span>}
      <span className={styles.rowNote}>{label.confidence === null ? "" : label.confidence.toFixed(2)}</span>
      <span className={styles.rowActions} data-kept={hidden || locked || undefined}>
        <ActionIcon
          size={20}
          aria-label={hidden ? "Show" : "Hide"}
          data-on={hidden || undefined}
          onClick={only(() => controller.edits.toggleHidden([label.key]))}
        >
          {hidden ? <EyeOff size={13} /> : <Eye size={13} />}
        </ActionIcon>
        <ActionIcon
          size={20}
          aria-label={locked ? "Unlock" : "Lock"}
          data-on={locked || undefined}
          onClick={only(() => controller.edits.toggleLocked([label.key]))}
        >
          {locked ? <Lock size={13} /> : <LockOpen size={13} />}
        </ActionIcon>
        <ActionIcon
          size={20}
          aria-label="Delete"
          disabled={readOnly || locked}
          onClick={only(() => controller.edits.removeKeys([label.key]))}
        >
          <Trash2 size={13} />
        </ActionIcon>
      </span>
    </div>
  );
});

/** The button alone: the row is not selected by it. */
function only(work: () => void) {
  return (event: React.MouseEvent) => {
    event.stopPropagation();
    work();
  };
}
