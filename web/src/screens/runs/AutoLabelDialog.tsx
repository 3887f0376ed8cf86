import { Button, Modal, SegmentedControl, Select } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { api, type CatalogueEntry, keys, type Run, tell, useFields, useModels, useSession } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import type { View } from "~/app/view";
import { CardPanel } from "~/models/CardPanel";
import { namedFamilies } from "~/models/catalogue";
import { firstMap } from "~/models/classes";
import { useLabelMap } from "~/models/label-map";
import { useCatalogue } from "~/models/queries";
import { remoteEntry, useRemoteModels } from "~/models/remote";
import { ErrorState, many } from "~/ui";
import { ClassPart } from "./ClassPart";
import { useFieldName } from "./field-name";
import { ModelPick, useChosen } from "./ModelPick";
import { OutputPart } from "./OutputPart";
import {
  bodyOf,
  firstPlan,
  hasBoxes,
  leads,
  METHOD_WORDS,
  methodsOf,
  type Plan,
  passesVocabulary,
  problemOf,
  refines,
  settled,
  TASK_WORDS,
  TASKS,
  type Task,
  type Vocabulary,
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
  const catalogue = useCatalogue();
  const models = useModels();
  const remote = (useRemoteModels().data ?? []).map(remoteEntry);
  const error = catalogue.error ?? models.error;
  return (
    <Modal.Stack>
      <Modal opened stackId="auto-label" onClose={props.onClose} title="Auto label" size={980}>
        {catalogue.data && models.data ? (
          <PlanForm
            {...props}
            entries={[...catalogue.data.items, ...remote]}
            families={models.data.families}
          />
        ) : error ? (
          <ErrorState
            title="The models could not be loaded"
            error={error}
            retry={() => {
              void catalogue.refetch();
              void models.refetch();
            }}
          />
        ) : (
          <div style={{ height: 560 }} aria-busy="true" />
        )}
      </Modal>
    </Modal.Stack>
  );
}

/** The dialog opens before the models are there: what it focuses then is the form, not the button that closes it. */
const focus = (form: HTMLFormElement | null) => form?.focus({ preventScroll: true });

interface FormProps extends Props {
  entries: readonly CatalogueEntry[];
  families: readonly string[];
}

function PlanForm({ projectId, view, like, onClose, onMade, entries, families }: FormProps) {
  const client = useQueryClient();
  const cores = useSession().data?.cores ?? 1;
  const target = useTarget(projectId, view);
  const [chosen, setPlan] = useState<Plan>(() => firstPlan(entries, like));
  const first = useChosen(entries, chosen.model);
  const { card } = first;
  // A model that is known by a reference says itself what it does.
  const plan = useMemo(() => followed(chosen, card), [chosen, card]);
  const set = (part: Partial<Plan>) => setPlan({ ...plan, ...part });
  const second = useChosen(entries, plan.refiner).card;
  const [workers, setWorkers] = useState(Math.min(like?.workers ?? 1, cores));
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useFieldName(projectId, plan.model ? plan.model.split(":").at(-1)!.split("?")[0]! : "auto");
  const hasList = card !== undefined && !card.zero_shot && plan.method !== "existing" && card.classes > 0;
  const kept = useLabelMap(projectId, hasList ? plan.model : "");
  const map = hasList ? (plan.map ?? (kept.data ? firstMap(kept.data) : {})) : {};
  const images = target.counts[target.aim];
  const waits = hasList && plan.map === null && !kept.data && !kept.error;
  const unknown = first.error || (kept.error && hasList ? tell(kept.error).what : "");
  const problem = problemOf(plan, { card, second, unknown, map, images, fieldProblem: field.problem });
  const ready = problem === "" && !waits && field.free && (images ?? 0) > 0 && !busy;

  const start = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready || !card) return;
    setBusy(true);
    try {
      const run = await api.post<Run>(`/projects/${projectId}/runs`, {
        body: {
          ...target.body(),
          ...bodyOf(plan, card, map),
          field: field.name,
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
  return (
    <form onSubmit={start} className={classes.plan} tabIndex={-1} ref={focus}>
      <div className={classes.form}>
        <Targets target={target} />
        <What plan={plan} set={setPlan} entries={entries} card={card} />
        <Models
          plan={plan}
          set={set}
          entries={entries}
          families={families}
          projectId={projectId}
          first={first}
        />
        <ClassPart key={plan.model} projectId={projectId} plan={plan} set={set} card={card} map={map} />
        <OutputPart
          plan={plan}
          set={set}
          recommended={card?.min_confidence}
          field={field}
          name={name}
          setName={setName}
          workers={workers}
          setWorkers={setWorkers}
        />
      </div>
      <Cards first={card} second={plan.method === "two_stage" ? second : undefined} task={plan.task} />
      <div className={classes.foot}>
        <span className={classes.explain} aria-live="polite">
          {problem || "What it finds are proposals: nothing is verified by it."}
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

function followed(plan: Plan, card: CatalogueEntry | undefined): Plan {
  if (!card || !plan.model.includes(":") || plan.method !== "one_stage") return plan;
  const able = TASKS.filter((task) => leads(card, task, "one_stage"));
  return able.length === 0 || able.includes(plan.task) ? plan : { ...plan, task: able[0]! };
}

interface PartProps {
  plan: Plan;
  set: (plan: Plan) => void;
  entries: readonly CatalogueEntry[];
  card: CatalogueEntry | undefined;
}

/** The task, and for masks and poses the way to come to them. */
function What({ plan, set, entries, card }: PartProps) {
  const methods = methodsOf(plan.task);
  const able = entries.filter((entry) => leads(entry, plan.task, plan.method));
  const kinds = new Set(able.map((entry) => entry.zero_shot));
  const narrow = (vocabulary: Vocabulary) => {
    const stays = card && passesVocabulary(card, vocabulary);
    set({ ...plan, vocabulary, ...(stays ? {} : { model: "", chosen: [], map: null, confidence: null }) });
  };
  return (
    <div className={classes.columns}>
      <Select
        label="Task"
        data={TASKS.map((each) => ({ value: each, label: TASK_WORDS[each]! }))}
        value={plan.task}
        allowDeselect={false}
        onChange={(task) =>
          set(settled({ ...plan, task: task as Task, method: "one_stage", vocabulary: "" }, entries))
        }
      />
      {methods.length > 0 && (
        <Select
          label="Method"
          wrapperProps={{ "data-wide": true }}
          data={methods.map((each) => ({ value: each, label: METHOD_WORDS[each] }))}
          value={plan.method}
          allowDeselect={false}
          onChange={(method) =>
            set(settled({ ...plan, method: method as Plan["method"], vocabulary: "" }, entries))
          }
        />
      )}
      {plan.method !== "existing" && (
        <Select
          label="Vocabulary"
          data={[
            { value: "", label: "Any" },
            { value: "fixed", label: "Fixed list of classes" },
            { value: "zero-shot", label: "Zero-shot: any words" },
          ]}
          value={plan.vocabulary}
          disabled={kinds.size < 2}
          allowDeselect={false}
          onChange={(next) => narrow((next ?? "") as Vocabulary)}
        />
      )}
    </div>
  );
}

interface ModelsProps {
  plan: Plan;
  set: (part: Partial<Plan>) => void;
  entries: readonly CatalogueEntry[];
  families: readonly string[];
  projectId: number;
  first: ReturnType<typeof useChosen>;
}

/** The model, or two of them, or a field and a model. */
function Models({ plan, set, entries, families, projectId, first }: ModelsProps) {
  const { task, method, vocabulary } = plan;
  const able = entries.filter((entry) => leads(entry, task, method));
  const fitting = able.filter((entry) => passesVocabulary(entry, vocabulary));
  const fields = (useFields(projectId).data ?? []).filter(hasBoxes);
  const secondWord = task === "pose" ? "Pose model" : "Segmenter";
  const choose = (model: string) => set({ model, chosen: [], map: null, confidence: null });
  return (
    <>
      {method === "existing" && (
        <Select
          label="Field with boxes"
          description={
            fields.length
              ? "Its boxes, or the bounds of its shapes, are what the model begins with."
              : "No field has shapes yet: detect first, or draw boxes."
          }
          placeholder="Choose a field"
          data={fields.map((each) => ({
            value: each.name,
            label: `${each.name} (${many(each.labels, "label")})`,
          }))}
          value={plan.boxesField || null}
          allowDeselect={false}
          onChange={(field) => set({ boxesField: field ?? "", chosen: [] })}
        />
      )}
      <ModelPick
        label={method === "two_stage" ? "Detector" : method === "existing" ? secondWord : "Model"}
        entries={fitting}
        value={plan.model}
        onChange={choose}
        families={method === "existing" ? [] : namedFamilies(families, entries)}
        error={first.error || undefined}
        loading={first.loading}
      />
      {method === "two_stage" && (
        <ModelPick
          label={secondWord}
          entries={entries.filter((entry) => refines(entry, task))}
          value={plan.refiner}
          onChange={(refiner) => set({ refiner })}
        />
      )}
    </>
  );
}

interface CardsProps {
  first: CatalogueEntry | undefined;
  second: CatalogueEntry | undefined;
  task: Task;
}

/** The card of the model beside the form; of two, one at a time. */
function Cards({ first, second, task }: CardsProps) {
  const [which, setWhich] = useState<"first" | "second">("first");
  const entry = second && which === "second" ? second : (first ?? second);
  return (
    <aside className={classes.cards} aria-label="The model's card">
      {second && (
        <SegmentedControl
          fullWidth
          aria-label="Whose card"
          data={[
            { value: "first", label: "Detector" },
            { value: "second", label: task === "pose" ? "Pose model" : "Segmenter" },
          ]}
          value={which}
          onChange={(next) => setWhich(next as typeof which)}
        />
      )}
      {entry ? (
        <CardPanel key={entry.name} entry={entry} />
      ) : (
        <p className={classes.explain}>The card of the model stands here once one is chosen.</p>
      )}
    </aside>
  );
}
