import { Button, Input, Modal, MultiSelect, NumberInput, Select, Slider, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Cpu } from "lucide-react";
import { type FormEvent, useMemo, useState } from "react";
import { Link } from "wouter";
import {
  api,
  type FieldCheck,
  keys,
  type ModelCard,
  type Run,
  tell,
  useFields,
  useModels,
  useRuns,
  useSession,
} from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import type { View } from "~/app/view";
import { count, EmptyState, ErrorState, FamilyModelInput, many } from "~/ui";
import {
  chosenBy,
  firstTask,
  fitting,
  isFieldName,
  nextName,
  TASK_WORDS,
  type Task,
  taskOf,
  tasksOf,
} from "./plan";
import classes from "./runs.module.css";
import { Targets, useTarget } from "./Targets";

interface Props {
  projectId: number;
  /** Filter and selection of the grid. */
  view: View;
  /** A run whose settings it begins with. */
  like: Run | null;
  onClose: () => void;
  onMade: (run: Run) => void;
}

/** What a new run shall do: on which images, with which model, into which field. */
export function AutoLabelDialog(props: Props) {
  const models = useModels();
  return (
    <Modal opened onClose={props.onClose} title="Auto label" size={600}>
      {models.data ? (
        <Plan {...props} models={models.data.items} families={models.data.families} />
      ) : models.error ? (
        <ErrorState
          title="The models could not be loaded"
          error={models.error}
          retry={() => void models.refetch()}
        />
      ) : (
        <div style={{ height: 420 }} aria-busy="true" />
      )}
    </Modal>
  );
}

/** The dialog opens before the models are there: what it focuses then is the form, not the button that closes it. */
const focus = (form: HTMLFormElement | null) => form?.focus({ preventScroll: true });

type Models = NonNullable<ReturnType<typeof useModels>["data"]>;

function Plan({
  projectId,
  view,
  like,
  onClose,
  onMade,
  models,
  families,
}: Props & { models: Models["items"]; families: readonly string[] }) {
  const client = useQueryClient();
  const cores = useSession().data?.cores ?? 1;
  const target = useTarget(projectId, view);
  const names = models.map((each) => each.name);
  const [begin] = useState(() => (like ? chosenBy(like.model, names, families) : null));
  const [task, setTask] = useState<Task | null>(() =>
    begin ? taskOf(begin.model, models) : firstTask(models, families),
  );
  const fit = fitting(models, task);
  const [chosen, setChosen] = useState<string | null>(begin?.model ?? null);
  const model = chosen ?? fit[0]?.name ?? (families[0] ? `${families[0]}:` : null);
  const family = families.find((name) => model === `${name}:`);
  const [rest, setRest] = useState(begin?.rest ?? "");
  const reference = family ? `${family}:${rest.trim()}` : (model ?? "");
  const own = models.find((each) => each.name === model)?.card;
  const other = useCard(family && rest.trim() ? reference : "");
  const card = own ?? other.card;
  const [wanted, setWanted] = useState<string[]>(like?.classes ?? []);
  const [confidence, setConfidence] = useState(like?.min_confidence ?? 0.1);
  const [workers, setWorkers] = useState(Math.min(like?.workers ?? 1, cores));
  const [name, setName] = useState("");
  const field = useFieldName(projectId, model ? reference.split(":").at(-1)!.split("?")[0]! : "auto");
  const known = useMemo(() => [...new Set(card?.classes ?? [])], [card]);
  const [busy, setBusy] = useState(false);

  const chooseModel = (next: string | null) => {
    setChosen(next);
    setWanted([]);
  };
  const images = target.counts[target.aim];
  const ready = Boolean(card) && field.free && (images ?? 0) > 0 && !busy;
  const start = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    try {
      const run = await api.post<Run>(`/projects/${projectId}/runs`, {
        body: {
          ...target.body(),
          model: reference,
          field: field.name,
          classes: wanted,
          min_confidence: confidence,
          name: name.trim(),
          workers,
        },
      });
      client.setQueryData<Run[]>(keys.runs(projectId), (runs) =>
        runs && !runs.some((each) => each.id === run.id) ? [run, ...runs] : runs,
      );
      void client.invalidateQueries({ queryKey: keys.fields(projectId) });
      notifyDone(`${run.name} has begun: ${many(images ?? 0, "image")}.`);
      onMade(run);
    } catch (error) {
      notifyError("The run could not be started", error);
      setBusy(false);
    }
  };
  if (models.length === 0 && families.length === 0) {
    return (
      <EmptyState
        icon={<Cpu size={28} />}
        title="There is no model yet"
        actions={
          <>
            <Button component={Link} href={paths.images(projectId)}>
              Label some images and train one
            </Button>
            <Button component={Link} href={paths.models()} variant="default">
              Import one
            </Button>
          </>
        }
      >
        Label a few images, open the learning panel in the editor and train: that takes a minute or two.
      </EmptyState>
    );
  }
  return (
    <form onSubmit={start} className={classes.form} tabIndex={-1} ref={focus}>
      <Targets target={target} />
      <div className={classes.two}>
        <Select
          label="Task"
          data={tasksOf(models, families).map((each) => ({ value: each, label: TASK_WORDS[each] }))}
          value={task}
          allowDeselect={false}
          onChange={(next) => {
            setTask(next as Task);
            chooseModel(null);
          }}
        />
        <Select
          label="Model"
          data={[
            ...fit.map((each) => ({ value: each.name, label: each.name })),
            ...(task === "classification" || fit.length === 0
              ? families.map((each) => ({ value: `${each}:`, label: `A model of ${each} …` }))
              : []),
          ]}
          value={model}
          allowDeselect={false}
          searchable={fit.length > 8}
          onChange={chooseModel}
          nothingFoundMessage="No model does this task."
        />
      </div>
      {family && (
        <FamilyModelInput
          family={family}
          label={`Name of the ${family} model`}
          description="Type to find it. Its card is read when you stop typing; the first time takes some seconds."
          value={rest}
          onChange={setRest}
          loading={other.loading}
          error={other.error ? tell(other.error).what : undefined}
        />
      )}
      <div className={classes.cardLine}>{card ? <CardLine card={card} /> : ""}</div>
      <MultiSelect
        label="Classes"
        placeholder={wanted.length > 0 ? "" : card ? `All ${count(card.classes.length)}` : "All"}
        data={known}
        value={wanted}
        onChange={setWanted}
        limit={200}
        searchable
        clearable
        disabled={!card}
        nothingFoundMessage="The model does not know this class."
      />
      <div className={classes.two}>
        <TextInput
          label="Label field"
          description="Always a new one."
          inputWrapperOrder={["label", field.problem ? "error" : "description", "input"]}
          value={field.name}
          maxLength={64}
          onChange={(event) => field.set(event.currentTarget.value)}
          error={field.problem || undefined}
          rightSection={
            field.free ? <Check size={14} color="var(--cs-verified)" aria-label="free" /> : undefined
          }
        />
        <TextInput
          label="Name of the run"
          description="How it is listed."
          placeholder={field.name}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </div>
      <div className={classes.two}>
        <Input.Wrapper
          size="xs"
          label="Lowest confidence"
          description="Keep it low: the review sorts out the rest."
          labelElement="div"
        >
          <div className={classes.sliderRow}>
            <Slider
              min={0}
              max={1}
              step={0.01}
              label={null}
              value={confidence}
              onChange={setConfidence}
              thumbLabel="Lowest confidence"
            />
            <NumberInput
              aria-label="Lowest confidence"
              min={0}
              max={1}
              step={0.05}
              decimalScale={2}
              fixedDecimalScale
              clampBehavior="strict"
              hideControls
              w={64}
              value={confidence}
              onChange={(next) => next !== "" && Number.isFinite(Number(next)) && setConfidence(Number(next))}
            />
          </div>
        </Input.Wrapper>
        <NumberInput
          label="Workers"
          description="Processes that predict beside each other."
          min={1}
          max={Math.max(1, cores)}
          clampBehavior="strict"
          allowDecimal={false}
          value={workers}
          onChange={(next) => typeof next === "number" && next >= 1 && setWorkers(next)}
        />
      </div>
      <div className={classes.buttons}>
        <span className={classes.explain}>
          {images === 0
            ? "No image is meant: choose others."
            : "What it finds are proposals: nothing is verified by it."}
        </span>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={busy} disabled={!ready && !busy}>
          {images === undefined ? "Label" : `Label ${many(images, "image")}`}
        </Button>
      </div>
    </form>
  );
}

function CardLine({ card }: { card: ModelCard }) {
  const [score] = Object.entries(card.scores ?? {});
  return (
    <>
      {many(card.classes.length, "class", "classes")}
      {score && ` · ${score[0].replaceAll("_", " ")} ${score[1].toFixed(2)}`}
      {card.description && ` · ${card.description}`}
    </>
  );
}

function useCard(reference: string) {
  const [settled] = useDebouncedValue(reference, 600);
  const { data, error, isFetching } = useQuery({
    queryKey: ["model-card", settled],
    queryFn: ({ signal }) => api.get<ModelCard>("/models/card", { params: { model: settled }, signal }),
    enabled: settled !== "",
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const current = settled === reference && reference !== "";
  return {
    card: current ? data : undefined,
    error: current ? error : null,
    loading: reference !== "" && (isFetching || settled !== reference),
  };
}

/** The name of the new field: suggested from the model until somebody types; checked while typing. */
function useFieldName(projectId: number, stem: string) {
  const fields = useFields(projectId).data;
  const runs = useRuns(projectId).data;
  const [typed, setTyped] = useState<string | null>(null);
  const suggested = useMemo(
    () =>
      nextName(stem, [...(fields ?? []).map((each) => each.name), ...(runs ?? []).map((each) => each.field)]),
    [stem, fields, runs],
  );
  const name = typed ?? suggested;
  const [settled] = useDebouncedValue(name, 120);
  const { data } = useQuery({
    queryKey: [...keys.fields(projectId), "check", settled],
    queryFn: ({ signal }) =>
      api.get<FieldCheck>(`/projects/${projectId}/fields/check`, { params: { name: settled }, signal }),
    enabled: settled !== "",
    staleTime: 0,
  });
  const known = settled === name && name !== "" ? data : undefined;
  return {
    name,
    set: setTyped,
    free: known?.free ?? false,
    problem: fieldProblem(name, known),
  };
}

/** In one line: nothing shall move while somebody types. */
function fieldProblem(name: string, known: FieldCheck | undefined): string {
  if (name === "") return "A run needs a field to write into.";
  if (!known || known.free) return "";
  if (!isFieldName(name)) return "A letter first; then letters, digits, _ - or .";
  return "There is a field of this name already.";
}
