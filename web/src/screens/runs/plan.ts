/** What the dialog of a new run works out: models that fit, names that are free, images that are meant. No React. */
import type { ModelCard } from "~/api";

export type Task = ModelCard["tasks"][number];

export const TASK_WORDS: Record<Task, string> = {
  detection: "Detection (boxes)",
  semantic_segmentation: "Segmentation (masks of classes)",
  instance_segmentation: "Segmentation (masks of objects)",
  classification: "Classification (classes of the image)",
  pose: "Pose (keypoints)",
  prompted_segmentation: "Segmentation by prompt",
  embedding: "Embedding",
  questions: "Questions about the image",
};

const ORDER: readonly Task[] = [
  "detection",
  "instance_segmentation",
  "semantic_segmentation",
  "classification",
  "pose",
];

interface HasCard {
  name: string;
  card: Pick<ModelCard, "tasks">;
}

/** Tasks that some model does, in the usual order. Families of others do classification. */
export function tasksOf(models: readonly HasCard[], families: readonly string[]): Task[] {
  const known = new Set<Task>(models.flatMap((model) => model.card.tasks));
  if (families.length > 0) known.add("classification");
  return ORDER.filter((task) => known.has(task));
}

/** The task to begin with: what the newest model does. */
export function firstTask(models: readonly HasCard[], families: readonly string[]): Task | null {
  const tasks = tasksOf(models, families);
  return tasks.find((task) => models.at(-1)?.card.tasks.includes(task)) ?? tasks[0] ?? null;
}

/** The task of a model by its name; a family of others does classification. */
export function taskOf(name: string, models: readonly HasCard[]): Task {
  return models.find((model) => model.name === name)?.card.tasks[0] ?? "classification";
}

/** Models that do a task, the newest first. */
export function fitting<T extends HasCard>(models: readonly T[], task: Task | null): T[] {
  return models.filter((model) => task === null || model.card.tasks.includes(task)).toReversed();
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

export interface Chosen {
  /** A model of the workspace, or `family:` where the rest of the name is in `rest`. */
  model: string;
  rest: string;
}

/** What the dialog has to show for a reference to a model; null where it is of none that is known here. */
export function chosenBy(
  reference: string,
  names: readonly string[],
  families: readonly string[],
): Chosen | null {
  if (names.includes(reference)) return { model: reference, rest: "" };
  const family = families.find((each) => reference.startsWith(`${each}:`));
  return family ? { model: `${family}:`, rest: reference.slice(family.length + 1) } : null;
}
