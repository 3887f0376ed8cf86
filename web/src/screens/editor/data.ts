/** What the editor reads: the image, its place in the order, its neighbours ahead of time. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, type ImageDetail, type ImageIds, keys, pictureUrl } from "~/api";
import type { Controller } from "./controller";

const detailKey = (project: number, image: number) => [...keys.images(project), "one", image] as const;

function detailQuery(project: number, image: number) {
  return {
    queryKey: detailKey(project, image),
    queryFn: ({ signal }: { signal: AbortSignal }) => api.get<ImageDetail>(`/images/${image}`, { signal }),
    staleTime: 10 * 60_000,
  };
}

export function useImageDetail(project: number, image: number) {
  return useQuery(detailQuery(project, image));
}

export interface Place {
  /** From 0; -1 while it is not known, or if the image does not fit the filter. */
  index: number;
  total: number;
  previous: number | null;
  next: number | null;
  /** The neighbours to have ready, the most likely first. */
  ahead: readonly (number | null)[];
}

/** Where the image is among those that the filter shows, in their order. */
export function usePlace(project: number, image: number, query: string, sort: string): Place {
  const { data } = useQuery({
    queryKey: [...keys.images(project), "ids", query, sort],
    queryFn: async ({ signal }) =>
      (await api.get<ImageIds>(`/projects/${project}/images/ids`, { params: { query, sort }, signal })).ids,
    staleTime: 60_000,
  });
  const order = useMemo(() => new Map((data ?? []).map((id, i) => [id, i])), [data]);
  const index = order.get(image) ?? -1;
  const at = (i: number) => (i < 0 ? null : (data?.[i] ?? null));
  return {
    index,
    total: data?.length ?? 0,
    previous: index > 0 ? at(index - 1) : null,
    next: index >= 0 ? at(index + 1) : at(0),
    ahead: index >= 0 ? [at(index + 1), at(index - 1), at(index + 2)] : [],
  };
}

/** Have the neighbours ready: what is known of them, their labels, their decoded pictures. */
export function usePrefetch(
  controller: Controller | null,
  project: number,
  field: string,
  wanted: readonly (number | null)[],
) {
  const client = useQueryClient();
  const list = wanted.filter((id) => id !== null).join(" ");
  useEffect(() => {
    if (!controller || !list) return;
    let stopped = false;
    const work = async () => {
      for (const id of list.split(" ").map(Number)) {
        if (stopped) return;
        try {
          const { image } = await client.fetchQuery(detailQuery(project, id));
          const there = controller.session.document(id, field);
          await Promise.all([
            there.loaded ? null : controller.session.load(id, field),
            controller.pictures.load(pictureUrl(image)),
          ]);
          controller.noteReady(id);
        } catch {
          // it is asked for again, and told of, when it is opened
        }
      }
    };
    const timer = setTimeout(work, 60);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [client, controller, project, field, list]);
}
