import { Progress } from "@mantine/core";
import type { ReactNode } from "react";
import { count, percent } from "./format";
import classes from "./ui.module.css";

interface Props {
  title: ReactNode;
  done: number;
  /** Null: not known. */
  total: number | null;
  /** What stands under the bar: rate, time left, stage. */
  note?: ReactNode;
  /** How to write the numbers; default: plain counts. */
  say?: (value: number) => string;
  actions?: ReactNode;
  color?: string;
}

/** A piece of long work: title, bar, numbers, what may be done with it. */
export function ProgressRow({ title, done, total, note, say = count, actions, color }: Props) {
  const value = total ? Math.min(100, (100 * done) / total) : 100;
  return (
    <div className={classes.progress}>
      <div className={classes.progressHead}>
        <span className="cs-truncate">{title}</span>
        <span className={classes.progressNumber}>
          {total ? `${say(done)} of ${say(total)} · ${percent(done, total)}` : done ? say(done) : ""}
        </span>
        {actions}
      </div>
      <Progress
        value={value}
        animated={total === null}
        striped={total === null}
        size={4}
        color={color}
        aria-label={typeof title === "string" ? title : "progress"}
      />
      {note && <div className={classes.progressNote}>{note}</div>}
    </div>
  );
}
