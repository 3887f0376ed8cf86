import { ActionIcon, Tooltip } from "@mantine/core";
import {
  ArrowLeft,
  ChevronLeft,
  ChevronRight,
  CircleAlert,
  CircleCheck,
  CloudOff,
  LoaderCircle,
  Maximize,
  ZoomIn,
  ZoomOut,
} from "lucide-react";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type { SaveState } from "~/editor/outbox";
import { count, many } from "~/ui/format";
import { KeyHint } from "~/ui/KeyHint";
import { useEditor } from "./context";
import type { Place } from "./data";
import classes from "./editor.module.css";
import styles from "./editorBar.module.css";
import { useUi } from "./ui";

interface Props {
  place: Place;
  open: (image: number | null) => unknown;
  leave: () => void;
  path: string;
}

export function EditorBar({ place, open, leave, path }: Props) {
  const { image, readOnly, field } = useEditor();
  return (
    <header className={styles.bar}>
      <Tooltip
        label={
          <span className={classes.tip}>
            Back to the images <KeyHint keys="u" />
          </span>
        }
      >
        <ActionIcon aria-label="Back to the images" onClick={leave}>
          <ArrowLeft size={16} />
        </ActionIcon>
      </Tooltip>
      <div className={styles.steps}>
        <ActionIcon
          aria-label="Previous image"
          disabled={place.previous === null}
          onClick={() => open(place.previous)}
        >
          <ChevronLeft size={18} />
        </ActionIcon>
        <span className={styles.place} data-testid="place">
          {place.index >= 0
            ? `${count(place.index + 1)} / ${count(place.total)}`
            : place.total
              ? `– / ${count(place.total)}`
              : ""}
        </span>
        <ActionIcon aria-label="Next image" disabled={place.next === null} onClick={() => open(place.next)}>
          <ChevronRight size={18} />
        </ActionIcon>
      </div>
      <h1 className={`${styles.name} cs-truncate`} title={path}>
        {image?.name ?? ""}
      </h1>
      <span className={classes.dim}>{image ? `${image.width} × ${image.height}` : ""}</span>
      {readOnly && (
        <Tooltip label={`The run behind “${field}” is approved: its labels do not change any more.`}>
          <span className={styles.readOnly}>read only</span>
        </Tooltip>
      )}
      <span className={classes.grow} />
      <Saving />
      <Zoom />
    </header>
  );
}

function Zoom() {
  const { controller } = useEditor();
  const scale = useUi((ui) => ui.scale);
  const shown = scale * (window.devicePixelRatio || 1) * 100;
  return (
    <div className={styles.zoom}>
      <ActionIcon aria-label="Zoom out" onClick={() => controller.engine?.zoomBy(0.8)}>
        <ZoomOut size={16} />
      </ActionIcon>
      <Tooltip
        label={
          <span className={classes.tip}>
            One pixel to one pixel <KeyHint keys="shift+f" />
          </span>
        }
      >
        <button type="button" className={styles.scale} onClick={() => controller.engine?.actualSize()}>
          {shown < 10 ? shown.toFixed(1) : Math.round(shown)} %
        </button>
      </Tooltip>
      <ActionIcon aria-label="Zoom in" onClick={() => controller.engine?.zoomBy(1.25)}>
        <ZoomIn size={16} />
      </ActionIcon>
      <Tooltip
        label={
          <span className={classes.tip}>
            Fit <KeyHint keys="f" />
          </span>
        }
      >
        <ActionIcon aria-label="Fit the image" onClick={() => controller.engine?.fit()}>
          <Maximize size={15} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

/** Whether the server has everything, always in sight. */
function Saving() {
  const { session } = useEditor();
  const state = useSyncExternalStore(
    useCallback((told) => session.onChange(told), [session]),
    () => session.saveState,
  );
  const left = useCountdown(state);
  const unsaved = many(state.count, "change");
  if (state.phase === "waiting") {
    const kept = state.kept
      ? "They are kept in this browser, also over a reload, and sent when the server is back."
      : "This browser has no room to keep them: do not close this window.";
    return (
      <Tooltip label={`The server does not answer. ${kept}`} multiline w={280}>
        <button
          type="button"
          className={styles.waiting}
          data-testid="save-state"
          data-phase="waiting"
          onClick={() => session.outbox.flush(true)}
        >
          <CloudOff size={15} /> {unsaved} not saved{left > 0 ? `, next try in ${left} s` : ", trying"}
        </button>
      </Tooltip>
    );
  }
  if (state.phase === "failed") {
    return (
      <Tooltip label={state.problem} multiline w={280}>
        <span className={styles.waiting} data-testid="save-state" data-phase="failed">
          <CircleAlert size={15} /> Not saved
        </span>
      </Tooltip>
    );
  }
  const saving = state.phase === "saving";
  return (
    <span className={styles.saved} data-testid="save-state" data-phase={state.phase} role="status">
      {saving ? <LoaderCircle size={15} className={styles.spin} /> : <CircleCheck size={15} />}
      {saving ? (state.count > 20 ? `Saving ${count(state.count)}` : "Saving") : "Saved"}
    </span>
  );
}

function useCountdown(state: SaveState): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (state.phase !== "waiting") return;
    const count = () => setLeft(Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000)));
    count();
    const timer = setInterval(count, 500);
    return () => clearInterval(timer);
  }, [state]);
  return left;
}
