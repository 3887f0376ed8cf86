/** What is remembered of the smart tool over visits, and how it asks. */
import { useQuery } from "@tanstack/react-query";
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { api, type Box, type CatalogueEntry, type CatalogueList, keys, type Segmented } from "~/api";
import { remoteEntry, useRemoteModels } from "~/models/remote";
import type { Prompt } from "./desk";

export type Output = "mask" | "polygon";

interface Smart {
  model: string;
  output: Output;
}

export const useSmart = create<Smart>()(
  persist((): Smart => ({ model: "", output: "mask" }), { name: "countersign.smart", version: 1 }),
);

export const TASK = "prompted_segmentation";
/** What to fetch where nothing is: the smallest of those that also do without a graphics card. */
export const SUGGESTED = "sam2.1-tiny";

export const promptedKey = [...keys.catalogue, TASK] as const;

export const fetchPrompted = () => api.get<CatalogueList>("/catalogue", { params: { task: TASK } });

type Entry = Pick<CatalogueEntry, "name" | "installed" | "origin" | "tasks">;

/** Names of the models that can be clicked with: those whose weights are here, and those behind a URL. */
export function usable(entries: readonly Entry[], remote: readonly Entry[]): string[] {
  const here = entries.filter((each) => each.installed !== null || each.origin !== "catalogue");
  return [...here, ...remote].filter((each) => each.tasks.includes(TASK)).map((each) => each.name);
}

/** The models that can be clicked with, and what the catalogue has besides. */
export function usePrompted() {
  const found = useQuery({ queryKey: promptedKey, queryFn: fetchPrompted });
  const remote = useRemoteModels();
  const items = found.data?.items ?? [];
  return {
    names: usable(items, (remote.data ?? []).map(remoteEntry)),
    suggested: items.find((each) => each.name === SUGGESTED) ?? null,
    pending: found.isPending || remote.isPending,
    error: found.error,
    refetch: found.refetch,
  };
}

/** The chosen model where it is still there, else the first. */
export function chosen(names: readonly string[], model: string): string {
  return names.includes(model) ? model : (names[0] ?? "");
}

export function look(model: string, image: number): Promise<unknown> {
  return api.post(`/images/${image}/segment/look`, { body: { model } });
}

export function segment(model: string, image: number, { points, box }: Prompt): Promise<Segmented> {
  const body = { model, points, box, outline: true };
  return api.post<Segmented>(`/images/${image}/segment`, { body });
}

export function segmentBox(model: string, image: number, box: Box): Promise<Segmented> {
  return segment(model, image, { points: [], box });
}
