/** What can be worked out about models that can be used: which fit a filter, how they are grouped, what was published. No React. */
import type { CatalogueEntry, CatalogueModel, ModelCard } from "~/api";
import { bytes, many } from "~/ui/format";

export type Task = CatalogueEntry["tasks"][number];

export const TASK_NAMES: Record<Task, string> = {
  classification: "classification",
  detection: "detection",
  instance_segmentation: "instance segmentation",
  semantic_segmentation: "semantic segmentation",
  pose: "pose",
  prompted_segmentation: "segmentation by prompt",
  embedding: "embedding",
  questions: "questions",
};

export interface Filter {
  text: string;
  task: Task | "";
  vocabulary: "" | "fixed" | "zero-shot";
  licence: "" | "permissive" | "restricted";
  installed: "" | "here" | "missing";
}

export const NO_FILTER: Filter = { text: "", task: "", vocabulary: "", licence: "", installed: "" };

/** How much is to be fetched, in words; "" where nobody knows. */
export function downloadSize(entry: Pick<CatalogueEntry, "download_bytes" | "estimated_bytes">): string {
  if (entry.download_bytes) return bytes(entry.download_bytes);
  return entry.estimated_bytes ? `about ${bytes(entry.estimated_bytes)}` : "";
}

type Filtered = Pick<
  CatalogueEntry,
  | "name"
  | "family"
  | "tasks"
  | "zero_shot"
  | "licences"
  | "installed"
  | "description"
  | "author"
  | "hub_id"
  | "licence"
>;

/** Whether a model passes a filter. All words must be found somewhere in what its card says. */
export function passes(entry: Filtered, filter: Filter): boolean {
  const { task, vocabulary, licence, installed } = filter;
  if (task && !entry.tasks.includes(task)) return false;
  if (vocabulary && entry.zero_shot !== (vocabulary === "zero-shot")) return false;
  if (licence && entry.licences.length > 0 !== (licence === "restricted")) return false;
  if (installed && (entry.installed !== null) !== (installed === "here")) return false;
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const { name, family, description, author, hub_id } = entry;
  const said = [
    name,
    family,
    description,
    author,
    hub_id,
    entry.licence,
    ...entry.tasks.map((each) => TASK_NAMES[each]),
  ]
    .join(" ")
    .toLowerCase();
  return words.every((word) => said.includes(word));
}

/** What a model can name, in words: any words, so many classes, or nothing where it names none. */
export function vocabularyOf(entry: Pick<CatalogueEntry, "zero_shot" | "classes">): string {
  if (entry.zero_shot) return "zero-shot";
  return entry.classes ? many(entry.classes, "class", "classes") : "";
}

/** A licence as people call it: `LicenseRef-Qwen-Research` is Qwen Research. */
export function licenceName(licence: string): string {
  return licence.startsWith("LicenseRef-")
    ? licence.slice("LicenseRef-".length).replaceAll("-", " ")
    : licence;
}

export type Sorting = "task" | "name" | "speed" | "performance" | "size";

const TASK_ORDER: readonly Task[] = [
  "detection",
  "instance_segmentation",
  "semantic_segmentation",
  "classification",
  "pose",
  "prompted_segmentation",
  "embedding",
  "questions",
];

type Sorted = Pick<
  CatalogueEntry,
  "name" | "tasks" | "speed" | "performance" | "download_bytes" | "estimated_bytes"
>;

/** Entries in an order to look through: ratings with the best first, sizes with the smallest; what is not known last. */
export function sorted<T extends Sorted>(entries: readonly T[], by: Sorting): T[] {
  const task = ({ tasks }: T) => TASK_ORDER.indexOf(tasks[0] ?? "questions");
  const value = (entry: T) => {
    if (by === "speed" || by === "performance") return -entry[by];
    if (by === "size") return entry.download_bytes || entry.estimated_bytes || Number.POSITIVE_INFINITY;
    return 0;
  };
  return entries.toSorted((a, b) => {
    if (by === "name") return a.name.localeCompare(b.name, "en", { numeric: true });
    return value(a) - value(b) || task(a) - task(b);
  });
}

type Named = Pick<CatalogueEntry, "name" | "version" | "size">;

/** A model's place among its kind: `rt-detr-v2-r18-o365` is rt-detr, 2 · o365, r18. */
export interface Place {
  line: string;
  version: string;
  size: string;
}

/**
 * Names of the catalogue are made of line, version, size and what they were taught by. What stands before the first
 * part that says version or size is the line.
 */
export function placeOf({ name, version, size }: Named): Place {
  const parts = name.split("-");
  const isVersion = (part: string) => /^v\d+(\.\d+)*$/.test(part) || (version !== "1" && part === version);
  const isSize = (part: string) => size !== "" && (part === size || part === size[0]);
  let first = parts.findIndex((part, i) => i > 0 && (isVersion(part) || isSize(part)));
  if (first < 0) first = parts.length;
  let line = parts.slice(0, first).join("-");
  const rest = parts.slice(first).filter((part) => !isVersion(part) && !isSize(part));
  const joined = parts.findIndex((part, i) => i < first && stripped(part, version, size) !== "");
  if (joined >= 0) {
    rest.unshift(...parts.slice(joined + 1, first));
    line = [...parts.slice(0, joined), stripped(parts[joined]!, version, size)].join("-");
  }
  return { line, version: [version, ...rest].filter(Boolean).join(" · "), size: size || "only one" };
}

/** `yolo11n`, version 11, size n -> `yolo`; `dinov2` -> `dino`; empty where nothing is to be taken off. */
function stripped(line: string, version: string, size: string): string {
  let left = line;
  if (size && /\d/.test(left.at(-size.length - 1) ?? "") && left.endsWith(size))
    left = left.slice(0, -size.length);
  if (version !== "1" && left.endsWith(version)) left = left.slice(0, -version.length).replace(/-?v$/, "");
  return left === line ? "" : left;
}

/** Entries by line, each line's in the order in which they came. */
export function lines<T extends Named>(entries: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const entry of entries) {
    const { line } = placeOf(entry);
    found.set(line, [...(found.get(line) ?? []), entry]);
  }
  return found;
}

/** The entry to show when a line, a version or a size is chosen: what else was chosen stays if that is possible. */
export function pick<T extends Named & Pick<CatalogueEntry, "installed">>(
  entries: readonly T[],
  wanted: Partial<Place>,
): T | undefined {
  const score = (entry: T) => {
    const place = placeOf(entry);
    if (wanted.line !== undefined && place.line !== wanted.line) return -1;
    if (wanted.version !== undefined && place.version !== wanted.version) return 0;
    return (wanted.size === place.size ? 4 : 0) + (entry.installed ? 2 : 0) + 1;
  };
  let best: T | undefined;
  let most = 0;
  for (const entry of entries) {
    const now = score(entry);
    if (now > most) {
      best = entry;
      most = now;
    }
  }
  return best;
}

const MEASURES: Record<string, [name: string, unit: string]> = {
  parameters: ["parameters", " M"],
  gflops: ["GFLOPs", ""],
  coco_map: ["mAP, COCO", " %"],
  lvis_map: ["mAP, LVIS", " %"],
  coco_mask_map: ["mask mAP, COCO", " %"],
  lvis_mask_map: ["mask mAP, LVIS", " %"],
  coco_keypoint_map: ["keypoint mAP, COCO", " %"],
  imagenet_top1: ["top-1, ImageNet", " %"],
  imagenet_knn: ["nearest neighbours, ImageNet", " %"],
  coco_voc_miou: ["mean IoU, COCO with VOC's classes", " %"],
  ade20k_miou: ["mean IoU, ADE20K", " %"],
  voc_miou: ["mean IoU, VOC", " %"],
  sav_jf: ["J&F, SA-V", " %"],
  coco_click_miou: ["mean IoU of one click, COCO", " %"],
  mmmu: ["MMMU", " %"],
};

/** Numbers that its authors publish, as a card shows them. */
export function published(numbers: Readonly<Record<string, number>>): { name: string; value: string }[] {
  return Object.entries(numbers).map(([key, value]) => {
    const [name, unit] = MEASURES[key] ?? [key.replaceAll("_", " "), ""];
    const shown = unit === " M" && value >= 1000 ? `${(value / 1000).toFixed(1)} B` : `${value}${unit}`;
    return { name, value: shown };
  });
}

/** The card of a model that is known by reference only, in the shape of the catalogue's. */
export function asEntry(card: ModelCard): CatalogueModel {
  return {
    ...card,
    origin: "fetched",
    installed: { folder: "", where: "workspace", bytes: 0, files: 0 },
    licences: [],
    licence_due: false,
    needs_boxes: card.details.needs_boxes === true,
    estimated_bytes: 0,
    classes: card.classes.length,
    class_names: card.classes,
    recorded: [],
    licence_notice: "",
  };
}

/** Why a model cannot be used as it is; empty if it can. */
export function lacking(
  entry: Pick<CatalogueEntry, "installed" | "licence_due" | "name"> | undefined,
): string {
  if (!entry) return "";
  if (!entry.installed) return `The files of ${entry.name} are not here yet: fetch them first.`;
  if (entry.licence_due) return `The licence of ${entry.name} must be accepted first.`;
  return "";
}

/** Families that take files of one's own, or models that are listed elsewhere; no names. */
const BY_FILE = new Set(["onnx", "remote"]);
/** Families with many more models than the catalogue has cards for. */
const BY_NAME = new Set(["timm"]);

/** Families of which any model may be named, besides those that the catalogue lists. */
export function namedFamilies(
  families: readonly string[],
  entries: readonly Pick<CatalogueEntry, "family">[],
): string[] {
  const known = new Set(entries.map((entry) => entry.family));
  return families.filter((name) => !BY_FILE.has(name) && (BY_NAME.has(name) || !known.has(name)));
}
