/** In place of the labels: teach a model by what is labelled, look at what it predicts, take it over. */
import { ActionIcon, Button, Slider, Switch, Tooltip } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Check, Eraser, GraduationCap, List, Play, Settings, Sparkles } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import {
  api,
  keys,
  type Model,
  onServerEvent,
  type Training,
  useFields,
  useModels,
  useProject,
  useTrainings,
} from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { ago, count, many } from "~/ui/format";
import { KeyHint } from "~/ui/KeyHint";
import { useEditor } from "../context";
import classes from "../editor.module.css";
import { setUi, useUi } from "../ui";
import styles from "./learning.module.css";
import { ModelChoice } from "./ModelChoice";
import { LEAST, pickModel, predict } from "./predict";
import { SettingsDialog } from "./SettingsDialog";
import { useLearning } from "./state";
import { TrainingProgress } from "./TrainingProgress";

export function LearningPanel() {
  const { projectId } = useEditor();
  const { data: trainings } = useTrainings(projectId);
  const { data: models } = useModels();
  const [settings, setSettings] = useState(false);
  const chosen = useUi((ui) => ui.model);
  const name =
    chosen ||
    pickModel(
      trainings ?? [],
      (models?.items ?? []).map((each) => each.name),
    );
  const model = models?.items.find((each) => each.name === name) ?? null;
  useWorkerEvents();
  return (
    <div className={styles.panel}>
      <div className={classes.head}>
        <h2>Learning</h2>
        <Tooltip label="Back to the labels (T)">
          <ActionIcon size={22} aria-label="Back to the labels" onClick={() => setUi({ learning: false })}>
            <List size={15} />
          </ActionIcon>
        </Tooltip>
      </div>
      <div className={styles.scroll}>
        <Actions name={name} trainings={trainings ?? []} openSettings={() => setSettings(true)} />
        <Display />
        <Statistics name={name} model={model} trainings={trainings ?? []} />
      </div>
      {settings && <SettingsDialog model={model} close={() => setSettings(false)} />}
    </div>
  );
}

interface ActionsProps {
  /** Of the model that predicts; empty if there is none yet. */
  name: string;
  trainings: readonly Training[];
  openSettings: () => void;
}

function Actions({ name, trainings, openSettings }: ActionsProps) {
  const { controller, projectId, readOnly, field } = useEditor();
  const { data: fields } = useFields(projectId);
  const predicting = useLearning((state) => state.predicting);
  const images = useLearning((state) => state.images);
  const predictions = useUi((ui) => ui.predictions);
  const shown = useShown();
  const active = trainings.find((each) => each.state === "queued" || each.state === "training");
  const labelled = fields?.find((each) => each.name === field)?.images ?? 0;
  const why =
    labelled === 0 ? `Label at least one image in “${field}” first: there is nothing to learn from.` : "";
  const { train, busy } = useTrain();
  return (
    <section className={styles.part} aria-label="Actions">
      <h3>Actions</h3>
      <div className={styles.trainRow}>
        <Button
          className={styles.wide}
          leftSection={<GraduationCap size={15} />}
          loading={busy}
          disabled={why !== "" || active !== undefined}
          onClick={train}
        >
          Train
        </Button>
        <Tooltip label="Settings of training and prediction">
          <ActionIcon variant="default" size={30} aria-label="Settings" onClick={openSettings}>
            <Settings size={15} />
          </ActionIcon>
        </Tooltip>
      </div>
      {why && <p className={styles.note}>{why}</p>}
      {!why && images !== null && (
        <p className={styles.note}>Learns from {many(images.size, "chosen image")}.</p>
      )}
      <TrainingProgress trainings={trainings} />
      <ModelChoice name={name} />
      <Button
        variant="default"
        leftSection={<Play size={14} />}
        rightSection={<KeyHint keys="shift+p" />}
        justify="flex-start"
        classNames={{ label: styles.buttonLabel }}
        loading={predicting}
        disabled={!name}
        onClick={() => void predict(controller)}
      >
        Predict current
      </Button>
      <Button
        variant="default"
        leftSection={<Check size={14} />}
        rightSection={<KeyHint keys="shift+a" />}
        justify="flex-start"
        classNames={{ label: styles.buttonLabel }}
        disabled={shown === 0 || readOnly}
        onClick={() => {
          const taken = controller.predictions.accept(controller.predictions.shown());
          notifyDone(`${many(taken, "prediction")} became ${taken === 1 ? "a label" : "labels"}.`, {
            label: "Undo",
            run: () => controller.edits.undo(),
          });
        }}
      >
        {shown ? `Accept ${many(shown, "prediction")}` : "Accept predictions"}
      </Button>
      <Button
        variant="default"
        leftSection={<Eraser size={14} />}
        justify="flex-start"
        classNames={{ label: styles.buttonLabel }}
        disabled={!predictions}
        onClick={() => controller.predictions.clear()}
      >
        Clear predictions
      </Button>
    </section>
  );
}

function useTrain() {
  const { projectId, field } = useEditor();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const train = async () => {
    setBusy(true);
    const { images } = useLearning.getState();
    try {
      const body = { field, settings: useUi.getState().training, ...(images ? { ids: [...images] } : {}) };
      const made = await api.post<Training>(`/projects/${projectId}/trainings`, { body });
      client.setQueryData<Training[]>(keys.trainings(projectId), (all) => [
        made,
        ...(all ?? []).filter((each) => each.id !== made.id),
      ]);
    } catch (error) {
      notifyError("The training could not be started", error);
    } finally {
      setBusy(false);
    }
  };
  return { train: () => void train(), busy };
}

/** How many predictions the threshold lets through. */
function useShown(): number {
  const predictions = useUi((ui) => ui.predictions);
  const threshold = useUi((ui) => ui.threshold);
  return useMemo(
    () =>
      (predictions?.items ?? []).filter(
        (each) => each.confidence === null || each.confidence >= threshold - 1e-9,
      ).length,
    [predictions, threshold],
  );
}

function Display() {
  const predictions = useUi((ui) => ui.predictions);
  const shown = useUi((ui) => ui.showPredictions);
  const threshold = useUi((ui) => ui.threshold);
  const passing = useShown();
  return (
    <section className={styles.part} aria-label="Display">
      <h3>Display</h3>
      <Switch
        label="Show predictions"
        checked={shown}
        onChange={(event) => setUi({ showPredictions: event.currentTarget.checked })}
      />
      <div>
        <div className={classes.field}>
          <span>Confidence from</span>
          <output className={styles.value}>{threshold.toFixed(2)}</output>
        </div>
        <Slider
          label={null}
          min={LEAST}
          max={1}
          step={0.01}
          value={threshold}
          onChange={(value) => setUi({ threshold: Math.round(value * 100) / 100 })}
          thumbLabel="Lowest confidence of the predictions shown"
          disabled={!shown}
        />
      </div>
      <p className={styles.note}>
        {predictions
          ? `${count(passing)} of ${count(predictions.items.length)} shown · ${predictions.seconds.toFixed(1)} s`
          : "No predictions for this image."}
      </p>
    </section>
  );
}

function Statistics({
  name,
  model,
  trainings,
}: {
  name: string;
  model: Model | null;
  trainings: readonly Training[];
}) {
  const { projectId, field } = useEditor();
  const { data: project } = useProject(projectId);
  const { data: fields } = useFields(projectId);
  const worker = useLearning((state) => state.worker);
  const told = useLearning((state) => state.told);
  const there = fields?.find((each) => each.name === field);
  const active = trainings.find((each) => each.state === "queued" || each.state === "training");
  const scores = Object.entries(model?.card.scores ?? {}).filter(([name]) => name.startsWith("held_out"));
  return (
    <section className={styles.part} aria-label="Statistics">
      <h3>Statistics</h3>
      <dl className={styles.numbers}>
        <dt>Annotated images</dt>
        <dd>{project ? `${count(there?.images ?? 0)} of ${count(project.images)}` : "–"}</dd>
        <dt>Total labels</dt>
        <dd>{fields ? count(there?.labels ?? 0) : "–"}</dd>
        <dt>Model</dt>
        <dd className="cs-truncate" title={name}>
          {name || "none yet"}
        </dd>
        <dt>Status</dt>
        <dd>{active ? "training" : model ? "ready" : name ? "not taught here" : "not trained"}</dd>
        {model && (
          <>
            <dt>Trained</dt>
            <dd>{ago(model.created_at)}</dd>
          </>
        )}
        {scores.map(([name, value]) => (
          <Score key={name} name={name} value={value} />
        ))}
      </dl>
      {worker?.state === "starting" && (
        <p className={styles.note}>
          <Sparkles size={12} /> {worker.message}
        </p>
      )}
      {worker?.state === "lost" && !told && <p className={styles.problem}>{worker.message}</p>}
    </section>
  );
}

const SCORES: Record<string, string> = {
  held_out_ap50: "AP50, held out",
  held_out_ap: "AP, held out",
  held_out_mean_iou: "Mean IoU, held out",
  held_out_accuracy: "Accuracy, held out",
};

function Score({ name, value }: { name: string; value: number }) {
  return (
    <>
      <dt>{SCORES[name] ?? name.replace("held_out_", "").replaceAll("_", " ")}</dt>
      <dd>{value.toFixed(3)}</dd>
    </>
  );
}

/** Follow what the process that predicts says of itself, and the end of trainings. */
function useWorkerEvents() {
  const { projectId } = useEditor();
  useEffect(
    () =>
      onServerEvent((event) => {
        if (event.type === "worker")
          useLearning.setState({ worker: { state: event.state, message: event.message } });
        if (event.type !== "training" || event.project_id !== projectId || event.training.state !== "done")
          return;
        if (event.training.model && useUi.getState().model !== event.training.model) {
          setUi({ model: event.training.model });
          notifyDone(`“${event.training.model}” is trained. Predict an image to see what it has learned.`);
        }
      }),
    [projectId],
  );
}
