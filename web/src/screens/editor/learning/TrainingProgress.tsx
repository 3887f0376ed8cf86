import { ActionIcon, Button, Progress, Tooltip } from "@mantine/core";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { api, keys, type Training, type TrainingCurve } from "~/api";
import { notifyError } from "~/app/notify";
import { ago, duration, many } from "~/ui/format";
import { useEditor } from "../context";
import styles from "./learning.module.css";

const LossCurve = lazy(() => import("./LossCurve"));

/** The training that is at work, or how the last one ended. */
export function TrainingProgress({ trainings }: { trainings: readonly Training[] }) {
  const newest = trainings[0];
  const [dismissed, setDismissed] = useState<number | null>(null);
  if (!newest || dismissed === newest.id) return null;
  if (newest.state === "queued" || newest.state === "training") return <AtWork training={newest} />;
  if (newest.state === "error") {
    return (
      <div className={styles.problem} role="alert">
        The training of “{newest.name}” failed: {newest.error}
        <Button variant="subtle" size="compact-xs" color="gray" onClick={() => setDismissed(newest.id)}>
          Close
        </Button>
      </div>
    );
  }
  return <Ended training={newest} close={() => setDismissed(newest.id)} />;
}

const ENDS: Partial<Record<Training["state"], string>> = { done: "Trained", cancelled: "Stopped" };

function Ended({ training, close }: { training: Training; close: () => void }) {
  const { progress, name, finished_at: at } = training;
  return (
    <div className={styles.training}>
      <div className={styles.trainingHead}>
        <span className="cs-truncate" title={name}>
          {ENDS[training.state] ?? "Ended"}
          {progress ? `, ${many(progress.epoch, "epoch")}` : ""}
        </span>
        <span className={styles.left}>{at ? ago(at) : ""}</span>
        <ActionIcon size={22} aria-label="Hide the last training" onClick={close}>
          <X size={14} />
        </ActionIcon>
      </div>
      <Curve training={training} live={false} />
    </div>
  );
}

function AtWork({ training }: { training: Training }) {
  const client = useQueryClient();
  const { projectId } = useEditor();
  // The event stream writes it while the training goes on.
  const { data } = useQuery({
    queryKey: keys.training(training.id),
    queryFn: ({ signal }) => api.get<Training>(`/trainings/${training.id}`, { signal }),
    refetchInterval: 5000,
  });
  const [stopping, setStopping] = useState(false);
  const now = data ?? training;
  const { progress } = now;
  const cancel = async () => {
    setStopping(true);
    try {
      await api.post(`/trainings/${training.id}/cancel`);
      await client.invalidateQueries({ queryKey: keys.trainings(projectId) });
    } catch (error) {
      setStopping(false);
      notifyError("The training could not be stopped", error);
    }
  };
  const left = progress?.left_s;
  return (
    <div className={styles.training} aria-live="off" data-testid="training">
      <div className={styles.trainingHead}>
        <span className="cs-truncate">
          {stopping
            ? "Stopping"
            : progress
              ? `Epoch ${progress.epoch} of ${progress.epochs}`
              : "Getting ready"}
        </span>
        <span className={styles.left}>
          {left !== null && left !== undefined && !stopping ? `${duration(left)} left` : ""}
        </span>
        <Tooltip label="Stop. What it has learned by then becomes the model.">
          <ActionIcon
            size={22}
            aria-label="Cancel the training"
            disabled={stopping}
            onClick={() => void cancel()}
          >
            <X size={14} />
          </ActionIcon>
        </Tooltip>
      </div>
      <Progress value={100 * (progress?.done ?? 0)} size={4} aria-label="Progress of the training" />
      <Curve training={now} live />
      <p className={styles.note}>You can go on labelling meanwhile.</p>
    </div>
  );
}

function Curve({ training, live }: { training: Training; live: boolean }) {
  const { data } = useQuery({
    queryKey: [...keys.training(training.id), "curve", live],
    queryFn: async ({ signal }) =>
      (await api.get<TrainingCurve>(`/trainings/${training.id}/curve`, { signal })).points,
    refetchInterval: live ? 2000 : false,
    placeholderData: keepPreviousData,
  });
  const points = data ?? [];
  if (points.length < 2) {
    if (!live) return null;
    return (
      <div className={styles.curve}>
        <p className={styles.note}>The loss is drawn from the second step on.</p>
      </div>
    );
  }
  return (
    <div className={styles.curve}>
      <Suspense fallback={null}>
        <LossCurve points={points} />
      </Suspense>
    </div>
  );
}
