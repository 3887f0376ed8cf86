import {
  Alert,
  Autocomplete,
  Button,
  FileButton,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Select,
  Slider,
  Switch,
  Tabs,
} from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Upload } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api, keys, type Model, type SettingRange, type TrainingDefaults, url, useModels } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { ErrorState } from "~/ui/ErrorState";
import { useEditor } from "../context";
import { setUi, useUi } from "../ui";
import styles from "./learning.module.css";
import { backboneOf } from "./predict";
import { TrainingImages } from "./TrainingImages";

interface Props {
  model: Model | null;
  close: () => void;
}

/** What a training is told, which images it learns from, how predictions are made, and the model as a file. */
export function SettingsDialog({ model, close }: Props) {
  const { projectId } = useEditor();
  const defaults = useQuery({
    queryKey: [...keys.trainings(projectId), "defaults"],
    queryFn: ({ signal }) =>
      api.get<TrainingDefaults>(`/projects/${projectId}/trainings/defaults`, { signal }),
  });
  return (
    <Modal opened onClose={close} title="Settings of learning" size={720} padding="md">
      <Tabs defaultValue="images" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="images">Training images</Tabs.Tab>
          <Tabs.Tab value="training">Training</Tabs.Tab>
          <Tabs.Tab value="prediction">Prediction</Tabs.Tab>
          <Tabs.Tab value="model">Model</Tabs.Tab>
        </Tabs.List>
        <div className={styles.dialog}>
          <Tabs.Panel value="images">
            <TrainingImages />
          </Tabs.Panel>
          <Tabs.Panel value="training">
            {defaults.error ? (
              <ErrorState
                title="The settings could not be loaded"
                error={defaults.error}
                retry={() => void defaults.refetch()}
              />
            ) : null}
            {defaults.data && <TrainingPart defaults={defaults.data} model={model} />}
          </Tabs.Panel>
          <Tabs.Panel value="prediction">
            <PredictionPart />
          </Tabs.Panel>
          <Tabs.Panel value="model">
            <ModelPart model={model} />
          </Tabs.Panel>
        </div>
      </Tabs>
      <Group justify="flex-end" mt={16}>
        <Button onClick={close}>Done</Button>
      </Group>
    </Modal>
  );
}

function Line({ label, note, children }: { label: string; note?: string; children: ReactNode }) {
  return (
    <div className={styles.line}>
      <div>
        <span>{label}</span>
        {note && <small>{note}</small>}
      </div>
      {children}
    </div>
  );
}

const HEADS = [
  { name: "detection", label: "Boxes" },
  { name: "segmentation", label: "Masks" },
  { name: "classification", label: "Class of the image" },
];

function TrainingPart({ defaults, model }: { defaults: TrainingDefaults; model: Model | null }) {
  const settings = useUi((ui) => ui.training);
  const range = (name: string) => defaults.settings.find((each) => each.name === name);
  const value = (name: string) => (name in settings ? settings[name] : range(name)?.default);
  const set = (name: string, next: unknown) => {
    const { [name]: _, ...rest } = settings;
    setUi({ training: Object.is(next, range(name)?.default) ? rest : { ...rest, [name]: next } });
  };
  const budget = value("budget") as number | null;
  const backbone = String(value("backbone") ?? "");
  const trained = backboneOf(model);
  const other = trained !== "" && trained !== backbone;
  return (
    <div className={styles.lines}>
      <Line
        label="Epochs"
        note={budget === null ? "How often it sees every image" : "Not used while there is a budget"}
      >
        <Figure
          range={range("epochs")}
          value={value("epochs")}
          onChange={(next) => set("epochs", next)}
          disabled={budget !== null}
        />
      </Line>
      <Line label="Budget" note="Seconds; the training then ends by the clock">
        <Figure
          range={range("budget")}
          value={budget}
          onChange={(next) => set("budget", next)}
          empty="none"
        />
      </Line>
      <Line label="Batch size">
        <Figure
          range={range("batch_size")}
          value={value("batch_size")}
          onChange={(next) => set("batch_size", next)}
        />
      </Line>
      <Line label="Learning rate">
        <Figure
          range={range("learning_rate")}
          value={value("learning_rate")}
          onChange={(next) => set("learning_rate", next)}
          step={0.0005}
        />
      </Line>
      <Line label="Image size" note="Longer side in pixels, as the model sees it">
        <Select
          w={140}
          aria-label="Image size"
          data={(range("image_size")?.choices ?? []).map(String)}
          value={String(value("image_size"))}
          onChange={(next) => next && set("image_size", Number(next))}
          allowDeselect={false}
        />
      </Line>
      {HEADS.map(({ name, label }) => (
        <Line
          key={name}
          label={label}
          note={name === "detection" ? "What it learns; auto: what the labels allow" : undefined}
        >
          <SegmentedControl
            aria-label={label}
            data={["auto", "on", "off"]}
            value={value(name) === true ? "on" : value(name) === false ? "off" : "auto"}
            onChange={(next) => set(name, next === "on" ? true : next === "off" ? false : null)}
          />
        </Line>
      ))}
      <Line label="Pretrained" note="Begin with weights that have seen other pictures">
        <Switch
          aria-label="Pretrained"
          checked={value("pretrained") === true}
          onChange={(event) => set("pretrained", event.currentTarget.checked)}
        />
      </Line>
      <Line label="Backbone" note="Any model of timm">
        <Autocomplete
          w={220}
          aria-label="Backbone"
          data={defaults.backbones}
          value={backbone}
          onChange={(next) => set("backbone", next)}
          comboboxProps={{ shadow: "md" }}
        />
      </Line>
      {other && (
        <Alert color="yellow" py={8}>
          “{model?.name}” has the backbone {trained}. It does not fit {backbone}: the next training makes a
          new model from the start.
        </Alert>
      )}
      <Group>
        <Button
          variant="default"
          disabled={Object.keys(settings).length === 0}
          onClick={() => setUi({ training: {} })}
        >
          Back to the defaults
        </Button>
      </Group>
    </div>
  );
}

interface FigureProps {
  range: SettingRange | undefined;
  value: unknown;
  onChange: (value: number | null) => void;
  step?: number;
  disabled?: boolean;
  empty?: string;
}

function Figure({ range, value, onChange, step, disabled, empty }: FigureProps) {
  return (
    <NumberInput
      w={140}
      aria-label={range?.name.replaceAll("_", " ")}
      value={typeof value === "number" ? value : ""}
      placeholder={empty}
      min={range?.low ?? undefined}
      max={range?.high ?? undefined}
      step={step ?? 1}
      allowDecimal={!range?.whole}
      disabled={disabled}
      onChange={(next) => {
        if (typeof next === "number") onChange(next);
        else if (next === "" && empty) onChange(null);
      }}
    />
  );
}

function PredictionPart() {
  const threshold = useUi((ui) => ui.threshold);
  const nms = useUi((ui) => ui.nms);
  return (
    <div className={styles.lines}>
      <Line label="Confidence" note={`Predictions from ${threshold.toFixed(2)} on are shown and accepted`}>
        <Slider
          w={220}
          label={null}
          min={0.1}
          max={1}
          step={0.01}
          value={threshold}
          onChange={(next) => setUi({ threshold: Math.round(next * 100) / 100 })}
          thumbLabel="Confidence"
        />
      </Line>
      <Line
        label="NMS"
        note={`Boxes that overlap by more than ${nms.toFixed(2)} are one object; for the next prediction`}
      >
        <Slider
          w={220}
          label={null}
          min={0.05}
          max={1}
          step={0.01}
          value={nms}
          onChange={(next) => setUi({ nms: Math.round(next * 100) / 100 })}
          thumbLabel="NMS"
        />
      </Line>
    </div>
  );
}

function ModelPart({ model }: { model: Model | null }) {
  const { data: models } = useModels();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const load = async (file: File | null) => {
    if (!file) return;
    setBusy(true);
    const body = new FormData();
    body.set("file", file);
    try {
      const made = await api.post<Model>("/models/upload", { body });
      await client.invalidateQueries({ queryKey: keys.models });
      setUi({ model: made.name });
      notifyDone(`The model “${made.name}” is loaded.`);
    } catch (error) {
      notifyError("The model could not be loaded", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={styles.lines}>
      <Line label="Model" note="Predicts in this editor">
        <Select
          w={260}
          aria-label="Model"
          placeholder="None yet"
          data={(models?.items ?? []).map((each) => each.name)}
          value={model?.name ?? null}
          onChange={(name) => name && setUi({ model: name })}
          allowDeselect={false}
        />
      </Line>
      <Line label="Save model" note="A file with weights, classes and card">
        <Button
          component="a"
          variant="default"
          leftSection={<Download size={14} />}
          href={model ? url(`/models/${encodeURIComponent(model.name)}/file`) : undefined}
          download
          data-disabled={!model || undefined}
        >
          Save
        </Button>
      </Line>
      <Line label="Load model" note="A file that was saved here or on another computer">
        <FileButton onChange={(file) => void load(file)}>
          {(props) => (
            <Button {...props} variant="default" leftSection={<Upload size={14} />} loading={busy}>
              Load …
            </Button>
          )}
        </FileButton>
      </Line>
    </div>
  );
}
