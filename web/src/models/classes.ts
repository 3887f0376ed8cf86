/** Lists of classes and prompts as people type and paste them. No React. */
import type { Prompt } from "~/api";

/** Names from pasted text: between commas, semicolons, tabs and line breaks; each once, in their order. */
export function splitList(text: string): string[] {
  const names = text.split(/[,;\t\r\n]+/).map((name) => name.trim());
  return [...new Set(names.filter(Boolean))];
}

/**
 * The classes of a model, in the order of its outputs: a line each, or in one line between commas. The same name may be
 * there twice, and a name may hold a comma where there are lines: a place is an output, so that nothing may move it.
 */
export function outputNames(text: string): string[] {
  const names = text.trim().split(/[\r\n]/.test(text.trim()) ? /[\r\n]+/ : /[,;\t]+/);
  return names.map((name) => name.trim()).filter(Boolean);
}

/** What splits a list that is typed or pasted into a field of tags. */
export const SPLIT = [",", ";", "\t", "\n", "\r"];

/** What a zero-shot model is asked for: texts by class, where they are not the class's own name; and what to leave out. */
export interface Wanted {
  classes: readonly string[];
  texts: Readonly<Record<string, readonly string[]>>;
  negative: readonly string[];
}

export const NOTHING_WANTED: Wanted = { classes: [], texts: {}, negative: [] };

/** Prompts over the wire; none where each class is its own. A text stands for one class only: the first that has it. */
export function promptsOf({ classes, texts, negative }: Wanted): Prompt[] {
  if (negative.length === 0 && classes.every((name) => !texts[name]?.length)) return [];
  const found = new Map<string, string>();
  const say = (text: string, className: string) => {
    if (!found.has(text)) found.set(text, className);
  };
  for (const name of classes) {
    for (const text of texts[name]?.length ? texts[name] : [name]) say(text, name);
  }
  for (const text of negative) say(text, "");
  return [...found].map(([text, class_name]) => ({ text, class_name }));
}

/** The other way: what a run was asked for. */
export function wantedOf(classes: readonly string[], prompts: readonly Prompt[]): Wanted {
  const texts: Record<string, string[]> = {};
  const names = new Set(classes);
  const negative: string[] = [];
  for (const { text, class_name } of prompts) {
    if (!class_name) negative.push(text);
    else {
      names.add(class_name);
      texts[class_name] = [...(texts[class_name] ?? []), text];
    }
  }
  for (const name of names) if (texts[name]?.length === 1 && texts[name][0] === name) delete texts[name];
  return { classes: [...names], texts, negative };
}

export type LabelMap = Readonly<Record<string, string>>;

/**
 * The map to begin with. One that was kept is taken as it is; of a suggestion by name only if any class fits: a model
 * whose classes are all new to the project gives them under their own names, rather than nothing at all.
 */
export function firstMap(map: { classes: LabelMap; kept: boolean }): LabelMap {
  if (map.kept || Object.values(map.classes).some(Boolean)) return map.classes;
  return Object.fromEntries(Object.keys(map.classes).map((name) => [name, name]));
}

/** How many of the model's classes become one of the project, how many are ignored. */
export function counted(map: LabelMap, wanted: readonly string[] = []): { used: number; ignored: number } {
  const names = wanted.length ? wanted : Object.keys(map);
  const ignored = names.filter((name) => map[name] === "").length;
  return { used: names.length - ignored, ignored };
}
