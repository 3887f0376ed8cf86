/** What a model's card says, in words and numbers for the screen. No React. */
import type { Model, ModelCard } from "~/api";

const WORDS: Record<string, string> = {
  ap50: "AP50",
  ap: "AP",
  ar: "AR",
  miou: "mean IoU",
  mean_iou: "mean IoU",
  f1: "F1",
  map: "mAP",
};

/** "held_out_ap50" -> "AP50, held out" */
export function scoreName(name: string): string {
  const held = name.startsWith("held_out_");
  const rest = held ? name.slice("held_out_".length) : name;
  const words = WORDS[rest] ?? rest.replaceAll("_", " ");
  return held ? `${words}, held out` : words;
}

export function scores(card: Pick<ModelCard, "scores">): { name: string; value: number }[] {
  return Object.entries(card.scores ?? {}).map(([name, value]) => ({ name: scoreName(name), value }));
}

/** What it learned from, if it says so. */
export function taught(
  card: Pick<ModelCard, "details">,
): { images: number; heldOut: number; labels: number } | null {
  const data = (card.details as { data?: { trained_on?: unknown[]; held_out?: unknown[]; labels?: number } })
    .data;
  if (!data || !Array.isArray(data.trained_on)) return null;
  return {
    images: data.trained_on.length,
    heldOut: Array.isArray(data.held_out) ? data.held_out.length : 0,
    labels: typeof data.labels === "number" ? data.labels : 0,
  };
}

/** Whether a model fits what somebody types: its name, tasks, classes. */
export function fits(model: Pick<Model, "name" | "card">, text: string): boolean {
  const all = [model.name, model.card.family, ...model.card.tasks, ...model.card.classes]
    .join(" ")
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/** Plain facts of a card's details: numbers, words and short lists; what is nested deeper is left to the file. */
export function details(card: Pick<ModelCard, "details">): [string, string][] {
  const found: [string, string][] = [];
  const add = (name: string, value: unknown) => {
    if (typeof value === "number" || typeof value === "boolean") found.push([name, String(value)]);
    else if (typeof value === "string" && value) found.push([name, value]);
    else if (
      Array.isArray(value) &&
      value.length > 0 &&
      value.length <= 8 &&
      value.every((x) => typeof x !== "object")
    )
      found.push([name, value.join(", ")]);
  };
  for (const [name, value] of Object.entries(card.details)) {
    if (value && typeof value === "object" && !Array.isArray(value) && name !== "data") {
      for (const [inner, each] of Object.entries(value)) add(`${name} ${inner}`, each);
    } else add(name, value);
  }
  return found.map(([name, value]) => [name.replaceAll("_", " "), value]);
}
