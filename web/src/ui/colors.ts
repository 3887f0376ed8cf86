/** Colours of a project's classes, by name. */
import { useMemo } from "react";
import { useClasses } from "~/api/queries";
import type { Skeletons } from "./LabelOverlay";

const PALETTE = ["#e4572e", "#17bebb", "#ffc914", "#76b041", "#5d8df7", "#c879ff", "#ff7ab6", "#a0785a"];

/** A colour for a class that the map does not know: the same one for the same name. */
export function colorOf(name: string, colors?: ReadonlyMap<string, string>): string {
  const known = colors?.get(name);
  if (known) return known;
  let hash = 0;
  for (const sign of name) hash = (hash * 31 + sign.charCodeAt(0)) >>> 0;
  return PALETTE[hash % PALETTE.length] ?? "#888888";
}

/** Class name to the pairs of its points that are joined, for `LabelOverlay`. */
export function useSkeletons(project: number): Skeletons {
  const { data } = useClasses(project);
  return useMemo(() => new Map((data ?? []).map((each) => [each.name, each.skeleton ?? []])), [data]);
}

/** Class name to colour, for `LabelOverlay` and `ClassChip`. */
export function useColors(project: number): ReadonlyMap<string, string> {
  const { data } = useClasses(project);
  return useMemo(() => new Map((data ?? []).map((each) => [each.name, each.color])), [data]);
}
