import { Progress, Tooltip } from "@mantine/core";
import { Link } from "wouter";
import type { Run } from "~/api";
import { ALL_IMAGES } from "~/api/image-query";
import { paths } from "~/app/routes";
import { writeView } from "~/app/view";
import { count, duration, many, percent } from "~/ui";
import classes from "./runs.module.css";

interface Subject {
  run: Run;
  onFailures: () => void;
}

/** How far a run is that is not done: bar, pace, time left. */
export function RunBar({ run, asked, onFailures }: Subject & { asked: "pause" | "cancel" | null }) {
  const { total, done, failed, rate, eta_s, workers } = run.progress;
  const part = (value: number) => (100 * value) / Math.max(1, total);
  const active = run.state === "generating" || run.state === "queued";
  const pace =
    rate >= 1 ? `${rate.toFixed(rate < 10 ? 1 : 0)} images/s` : `${(rate * 60).toFixed(1)} images/min`;
  return (
    <div className={classes.progress}>
      <Progress.Root size={6} aria-label={`Progress of ${run.name}`}>
        <Progress.Section value={part(done)} color={active ? undefined : "gray"} />
        <Progress.Section value={part(failed)} color="red" />
      </Progress.Root>
      <div className={classes.note}>
        <span>
          {count(done + failed)} of {many(total, "image")} · {percent(done + failed, total)}
        </span>
        {asked && <span>{asked === "pause" ? "pauses" : "stops"} when the images at work are done …</span>}
        {active && rate > 0 && <span>{pace}</span>}
        {active && eta_s !== null && <span>{duration(eta_s)} left</span>}
        {active && workers > 0 && <span>{many(workers, "worker")}</span>}
        {active && rate === 0 && <span>{workers > 0 ? "loading the model" : "starting"} …</span>}
        {failed > 0 && <FailedLink run={run} onFailures={onFailures} />}
      </div>
    </div>
  );
}

function FailedLink({ run, onFailures }: Subject) {
  return (
    <button type="button" className={classes.failed} onClick={onFailures}>
      {many(run.progress.failed, "image")} failed: see why
    </button>
  );
}

/** What came of a run that can be reviewed, or was. */
export function RunOutcome({ run, onFailures }: Subject) {
  const left = run.progress.pending;
  const took =
    run.started_at && run.finished_at && run.model
      ? (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000
      : null;
  return (
    <div className={classes.note}>
      {run.state === "approved" ? (
        <span>
          Approved into{" "}
          <Link
            href={paths.images(
              run.project_id,
              writeView({ query: { ...ALL_IMAGES, field: run.target_field } }),
            )}
            className={classes.labelsLink}
          >
            {run.target_field}
          </Link>
        </span>
      ) : (
        <span>
          {many(run.progress.labels, "proposal")} on {many(run.progress.done, "image")}
        </span>
      )}
      {took !== null && took > 0.5 && run.state === "in_review" && <span>took {duration(took)}</span>}
      {left > 0 && (
        <Tooltip label="The run was taken to review before it had come to them">
          <span>{many(left, "image")} left out</span>
        </Tooltip>
      )}
      {run.progress.failed > 0 && <FailedLink run={run} onFailures={onFailures} />}
    </div>
  );
}
