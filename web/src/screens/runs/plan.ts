/** What the dialog of a new run works out: models that fit, what is lacking, names that are free, images that are meant. No React. */
import type { CatalogueEntry, Field, Run, RunCreate } from "~/api";
import { lacking } from "~/models/catalogue";
import { counted, type LabelMap, NOTHING_WANTED, promptsOf, type Wanted, wantedOf } from "~/models/classes";
import { many } from "~/ui/format";

export type Task = CatalogueEntry["tasks"][number];
export type Method = Run["method"];
export type Vocabulary = "" | "fixed" | "zero-shot";

export const TASK_WORDS: Partial<Record<Task, string>> = {
  detection: "Detection",
  instance_segmentation: "Instance segmentation",
  semantic_segmentation: "Semantic segmentation",
  classification: "Classification",
  pose: "Pose",
};

export const TASKS = Object.keys(TASK_WORDS) as Task[];

export const METHOD_WORDS: Record<Method, string> = {
  one_stage: "One model",
  two_stage: "Detector, then a second",
  existing: "Boxes of a field",
};

/** Ways to come to labels of a task; none where there is only one. */
export function methodsOf(task: Task): Method[] {
  return task === "instance_segmentation" || task === "pose" ? ["one_stage", "two_stage", "existing"] : [];
}

type Able = Pick<CatalogueEntry, "tasks" | "needs_boxes">;

/** Whether a model can turn boxes into what a task asks for. */
export function refines(entry: Able, task: Task): boolean {
  if (task === "pose") return entry.tasks.includes("pose") && entry.needs_boxes;
  return entry.tasks.includes("prompted_segmentation");
}

/** Whether a model can be the first (or only) one of a run. */
export function leads(entry: Able, task: Task, method: Method): boolean {
  if (method === "existing") return refines(entry, task);
  if (method === "two_stage") return entry.tasks.includes("detection");
  return entry.tasks.includes(task) && !entry.needs_boxes;
}

export function passesVocabulary(entry: Pick<CatalogueEntry, "zero_shot">, vocabulary: Vocabulary): boolean {
  return vocabulary === "" || entry.zero_shot === (vocabulary === "zero-shot");
}

/** Whether a field has shapes with bounds: what a second model can begin with. */
export function hasBoxes(field: Pick<Field, "kinds">): boolean {
  return field.kinds.some(({ name, count }) => count > 0 && name !== "classification");
}

interface Choice extends Able {
  name: string;
  origin: CatalogueEntry["origin"];
  installed: CatalogueEntry["installed"];
  licence_due: boolean;
}

/** The model to begin with: the workspace's newest, else one that is here already. */
export function firstModel(entries: readonly Choice[], fits: (entry: Choice) => boolean): string {
  const fitting = entries.filter(fits);
  const own = fitting.findLast((entry) => entry.origin === "workspace");
  return (own ?? fitting.find((entry) => lacking(entry) === ""))?.name ?? "";
}

/** The task to begin with: what the newest model of the workspace does, else what some model here does. */
export function firstTask(entries: readonly Choice[]): Task {
  const does = (entry: Choice) => TASKS.find((task) => leads(entry, task, "one_stage"));
  const own = entries.findLast((entry) => entry.origin === "workspace" && does(entry));
  const here = own ?? entries.find((entry) => entry.installed && does(entry));
  return (here && does(here)) ?? "detection";
}

/** What somebody has chosen so far. */
export interface Plan {
  task: Task;
  method: Method;
  vocabulary: Vocabulary;
  /** A name, or a reference: `timm:resnet18`. */
  model: string;
  refiner: string;
  boxesField: string;
  /** Of a fixed list; none: all. */
  chosen: readonly string[];
  /** Of a zero-shot model. */
  words: Wanted;
  /** As it was edited here; null: as it is kept or suggested. */
  map: LabelMap | null;
  /** Null: what the card recommends. */
  confidence: number | null;
  inFolder: boolean;
  folder: string;
}

export function firstPlan(entries: readonly Choice[], like: Run | null): Plan {
  if (like) return planLike(like, entries);
  const task = firstTask(entries);
  return {
    task,
    method: "one_stage",
    vocabulary: "",
    model: firstModel(entries, (entry) => leads(entry, task, "one_stage")),
    refiner: "",
    boxesField: "",
    chosen: [],
    words: NOTHING_WANTED,
    map: null,
    confidence: null,
    inFolder: false,
    folder: "",
  };
}

function planLike(run: Run, entries: readonly Choice[]): Plan {
  const entry = entries.find((each) => each.name === run.model);
  return {
    task: run.task ?? entry?.tasks.find((task) => TASKS.includes(task)) ?? "detection",
    method: run.method,
    vocabulary: "",
    model: run.model,
    refiner: run.refiner,
    boxesField: run.boxes_field,
    chosen: run.classes,
    words: wantedOf(run.classes, run.prompts),
    map: Object.keys(run.label_map).length ? run.label_map : null,
    confidence: run.min_confidence,
    inFolder: run.masks !== "",
    folder: run.masks,
  };
}

/** Models of a plan: those that fit its task, method and vocabulary stay, others are replaced. */
export function settled(plan: Plan, entries: readonly Choice[]): Plan {
  const { task } = plan;
  const method = methodsOf(task).includes(plan.method) ? plan.method : "one_stage";
  const isLead = (entry: Choice) => leads(entry, task, method);
  const now = entries.find((entry) => entry.name === plan.model);
  const isReference = plan.model.includes(":") && !now;
  const stays = method === "one_stage" && isReference ? true : now !== undefined && isLead(now);
  const second = entries.find((entry) => entry.name === plan.refiner);
  const refine = (entry: Choice) => refines(entry, task);
  return {
    ...plan,
    method,
    model: stays ? plan.model : firstModel(entries, isLead),
    refiner:
      method !== "two_stage" ? "" : second && refine(second) ? plan.refiner : firstModel(entries, refine),
    chosen: stays ? plan.chosen : [],
    map: stays ? plan.map : null,
    confidence: stays ? plan.confidence : null,
  };
}

/** What a plan is about, as far as it is known. */
export interface Known {
  card?: CatalogueEntry;
  second?: CatalogueEntry;
  /** How the model could not be asked for its card. */
  unknown: string;
  map: LabelMap;
  images: number | undefined;
  fieldProblem: string;
}

/** Why a run cannot begin yet, in the order of the form; empty where it can. */
export function problemOf(plan: Plan, { card, second, unknown, map, images, fieldProblem }: Known): string {
  const { method, task } = plan;
  if (images === 0) return "No image is meant: choose others.";
  if (method === "existing" && !plan.boxesField) return "Choose the field whose boxes to begin with.";
  if (!plan.model || plan.model.endsWith(":")) return "Choose a model.";
  if (unknown) return unknown;
  if (!card) return "The model's card is being read …";
  if (lacking(card)) return lacking(card);
  if (!leads(card, task, method)) return `${card.name} does not do this task: choose another model.`;
  if (method === "two_stage") {
    if (!second) return "Choose a second model.";
    if (lacking(second)) return lacking(second);
  }
  if (method !== "existing") {
    if (card.zero_shot && plan.words.classes.length === 0) return "Name at least one class to look for.";
    if (!card.zero_shot && Object.keys(map).length > 0 && counted(map, plan.chosen).used === 0)
      return "Every class is ignored: edit the label map.";
  }
  if (hasMasks(task) && plan.inFolder && !plan.folder.trim()) return "Name the folder for the masks.";
  return fieldProblem;
}

export function hasMasks(task: Task): boolean {
  return task === "instance_segmentation" || task === "semantic_segmentation";
}

/** A plan over the wire. */
export function bodyOf(plan: Plan, card: CatalogueEntry, map: LabelMap) {
  const { task, method } = plan;
  const asked = method !== "existing" && card.zero_shot;
  return {
    task,
    method,
    model: plan.model,
    refiner: method === "two_stage" ? plan.refiner : "",
    boxes_field: method === "existing" ? plan.boxesField : "",
    classes: asked ? [...plan.words.classes] : [...plan.chosen],
    prompts: asked ? promptsOf(plan.words) : [],
    label_map: asked || method === "existing" ? {} : map,
    min_confidence: plan.confidence ?? card.min_confidence,
    masks: hasMasks(task) && plan.inFolder ? plan.folder.trim() : "",
  } satisfies Partial<RunCreate>;
}

/** A name that a field may have: a letter first, then letters, digits, `_ . -`. */
export function fieldName(text: string): string {
  const name = text
    .normalize("NFKC")
    .replace(/^[^\p{L}]+/u, "")
    .replace(/[^\p{L}\p{N}_.-]+/gu, "_")
    .slice(0, 56);
  return name || "auto";
}

export function isFieldName(text: string): boolean {
  return /^\p{L}[\p{L}\p{N}_.-]{0,63}$/u.test(text);
}

/** The first free one of `stem_1`, `stem_2` … */
export function nextName(stem: string, taken: Iterable<string>): string {
  const known = new Set(taken);
  const base = fieldName(stem);
  let number = 1;
  while (known.has(`${base}_${number}`)) number += 1;
  return `${base}_${number}`;
}

export type Aim = "all" | "filter" | "selection" | "unlabelled";

/** Which images to begin with: the narrowest that the address says. */
export function firstAim(hasSelection: boolean, hasFilter: boolean): Aim {
  return hasSelection ? "selection" : hasFilter ? "filter" : "all";
}

const TALLY: Record<string, [one: string, why: string]> = {
  clipped: ["clipped", "Shapes that reached over the edge of the image were cut off there."],
  degenerate: ["without area dropped", "Shapes of no width or height, or with numbers that are none."],
  empty: ["without a mask dropped", "The second model found nothing in the box."],
};

/** Which engine computes the model, with the reason; or the sentence that says that engines are being measured. */
export function engineOf(note: string) {
  const at = note.indexOf(": ");
  if (at < 0) return note ? { text: note, why: note } : undefined;
  return { text: `computed by ${note.slice(0, at)}`, why: note.slice(at + 2) };
}

/** What a run mended or left out, in words. */
export function tallied(tally: Readonly<Record<string, number>>) {
  return Object.entries(tally)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => {
      const [words, why] = TALLY[name] ?? [name.replaceAll("_", " "), ""];
      return { name, text: `${many(count, "label")} ${words}`, why };
    });
}
