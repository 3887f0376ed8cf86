/** What the grid reads: the ids of all images that fit (one list), the images of the tiles in sight (in chunks), counts. */

import { useDebouncedValue } from "@mantine/hooks";
import {
  keepPreviousData,
  type QueryClient,
  useIsFetching,
  useQueries,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import {
  api,
  type Facets,
  foresee,
  type Histogram,
  type Image,
  type ImageIds,
  type ImageList,
  type ImagePage,
  keys,
  useFields,
} from "~/api";
import { formatQuery, type ImageQuery } from "~/api/image-query";
import type { Sort, View } from "~/app/view";

/** Images of one request. Chunks begin at multiples of it, so that scrolling back finds them again. */
export const CHUNK = 60;

export function idsKey(project: number, text: string, sort: Sort) {
  return [...keys.images(project), "ids", text, sort] as const;
}

/** Tiles in sight of the grid that was looked at last: so many pictures are asked for before their tiles are drawn. */
export const sight = { tiles: 24 };

/**
 * The ids of all images that fit. Of a list that is not known yet its first tiles come before: they are there while the
 * database still writes down the other 100,000 numbers. They are kept where `useTiles` looks for them, so nobody asks
 * twice; their pictures are on the way while the page still draws; and where they are all there is, nothing else is
 * asked for. `whole` is for who was further down in this list: then the first tiles are of no use.
 */
export function useImageList(
  project: number,
  text: string,
  sort: Sort,
  fields: readonly string[] | null,
  whole: boolean,
) {
  const client = useQueryClient();
  const key = idsKey(project, text, sort);
  const wanted = !whole && client.getQueryData(key) === undefined;
  const first = useQuery({
    queryKey: [...keys.images(project), "first", text, sort, fields],
    queryFn: async ({ signal }) => {
      const params = { query: text, sort, limit: CHUNK, labels: fields, geometry: "preview" };
      const { items, next } = await api.get<ImagePage>(`/projects/${project}/images`, { params, signal });
      const ids = items.map((image) => image.id);
      foresee(project, ids.slice(0, sight.tiles));
      client.setQueryData(tilesKey(project, fields, ids), items);
      if (next === null) client.setQueryData(key, ids);
      return ids;
    },
    enabled: wanted && fields !== null,
    staleTime: 60_000,
    gcTime: 60_000,
  });
  // The numbers are read and laid out by the same thread that shows the pictures of the first tiles: those go before.
  const now = `${first.isFetched || first.failureCount > 0} ${text} ${sort}`;
  const [rested] = useDebouncedValue(now, THUMBNAILS_MS);
  const next = now.startsWith("true") && rested === now;
  const list = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) =>
      (await api.get<ImageIds>(`/projects/${project}/images/ids`, { params: { query: text, sort }, signal }))
        .ids,
    enabled: !wanted || fields === null || next,
    placeholderData: keepPreviousData,
    structuralSharing: false, // 100,000 numbers are not worth comparing
    staleTime: 60_000,
  });
  return { list, first: wanted ? first.data : undefined, busy: list.isFetching || first.isFetching };
}

function tilesKey(project: number, fields: readonly string[] | null, ids: readonly number[]) {
  return [...keys.labels(project), "tiles", fields, ids] as const;
}

/** The images at some places of the list, as far as they are there. Labels come in light shapes: tiles are small. */
export function useTiles(
  project: number,
  ids: readonly number[],
  first: number,
  last: number,
  fields: readonly string[] | null,
) {
  const chunks = useMemo(() => {
    const found: number[][] = [];
    for (let at = Math.floor(first / CHUNK) * CHUNK; at <= last && at < ids.length; at += CHUNK) {
      found.push(ids.slice(at, at + CHUNK));
    }
    return found;
  }, [ids, first, last]);
  return useQueries({
    queries: chunks.map((chunk) => ({
      queryKey: tilesKey(project, fields, chunk),
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const body = { ids: chunk, labels: fields, geometry: "preview" };
        return (await api.post<ImageList>(`/projects/${project}/images/lookup`, { body, signal, retries: 2 }))
          .items;
      },
      enabled: fields !== null,
      gcTime: 30_000,
      staleTime: 60_000,
      placeholderData: keepPreviousData,
    })),
    combine: combineTiles,
  });
}

function combineTiles(results: readonly { data?: Image[]; error: unknown; refetch: () => unknown }[]) {
  const images = new Map<number, Image>();
  for (const result of results) for (const image of result.data ?? []) images.set(image.id, image);
  const failed = results.find((result) => result.error);
  return { images, error: failed?.error ?? null, retry: () => failed?.refetch() };
}

/** What the pictures in sight wait for: the list, its first page, the images of the tiles. */
const PICTURES_FIRST: ReadonlySet<unknown> = new Set(["ids", "first", "tiles"]);
/** Time for the thumbnails themselves to be asked for and to come, once it is known which they are. */
const THUMBNAILS_MS = 120;

function asksForPictures({ queryKey }: { queryKey: readonly unknown[] }): boolean {
  return queryKey.some((part) => PICTURES_FIRST.has(part));
}

/** Whether the pictures of the list are still being asked for; to be called when something happens. */
export function useAsking(): () => boolean {
  const client = useQueryClient();
  return () => client.isFetching({ predicate: asksForPictures }) > 0;
}

/** Whether the pictures of a filter are there: counts wait for them, as both would ask the same database. */
function usePicturesAreThere(filter: string): boolean {
  const asked = useIsFetching({ predicate: asksForPictures });
  // With another filter the wait begins anew: nothing of it has been asked for when this is first drawn.
  const now = `${asked === 0} ${filter}`;
  const [settled] = useDebouncedValue(now, THUMBNAILS_MS);
  return asked === 0 && settled === now;
}

function useFacetsOf(project: number, query: string, field: string, wanted = true) {
  const enabled = usePicturesAreThere(query) && wanted;
  return useQuery({
    queryKey: [...keys.labels(project), "facets", query, field],
    queryFn: ({ signal }) =>
      api.get<Facets>(`/projects/${project}/images/facets`, { params: { query, field }, signal }),
    placeholderData: keepPreviousData,
    enabled,
  });
}

/**
 * Counts under the filter. For a group in which something is chosen the counts are those without that choice: they say
 * what choosing another one would show.
 */
export function useFacets(project: number, query: ImageQuery) {
  const field = query.field;
  const here = useFacetsOf(project, formatQuery(query), field);
  const noSplit = useFacetsOf(project, formatQuery({ ...query, splits: [] }), field, query.splits.length > 0);
  const tagged = query.tags.length + query.withoutTags.length > 0;
  const noTags = useFacetsOf(project, formatQuery({ ...query, tags: [], withoutTags: [] }), field, tagged);
  const found = query.withLabels.length + query.withoutLabels.length > 0;
  const noFound = useFacetsOf(
    project,
    formatQuery({ ...query, withLabels: [], withoutLabels: [] }),
    field,
    found,
  );
  const before = useRef(here.data);
  if (here.data) before.current = here.data;
  const data = here.data ?? (here.error ? before.current : undefined); // while the server is away, what was there stays
  return {
    error: here.error,
    facets: data && {
      ...data,
      splits: (query.splits.length ? noSplit.data : data)?.splits ?? data.splits,
      tags: (tagged ? noTags.data : data)?.tags ?? data.tags,
      fields: (found ? noFound.data : data)?.fields ?? data.fields,
      fieldsBase: (found ? noFound.data : data)?.images ?? data.images,
    },
  };
}

/** So many ids fit into an address. */
const MOST_IDS = 1500;

/** Tags and splits of the selected images; undefined while it is not known, or if they are too many to ask for. */
export function useSelectionFacets(project: number, view: View, wanted: boolean): Facets | undefined {
  const { selection, text } = view;
  const few = !selection.all && selection.ids.size > 0 && selection.ids.size <= MOST_IDS;
  const query = selection.all ? text : few ? `id=${[...selection.ids].join(",")}` : "";
  return useQuery({
    queryKey: [...keys.images(project), "facets of selection", query],
    queryFn: ({ signal }) =>
      api.get<Facets>(`/projects/${project}/images/facets`, { params: { query, field: "" }, signal }),
    enabled: wanted && (selection.all || few),
  }).data;
}

/** Labels of a field by confidence, for the filter's slider. */
export function useFieldHistogram(project: number, query: ImageQuery) {
  const fields = useFields(project);
  const field = fields.data?.find((each) => each.name === query.field);
  const { classes, states } = query;
  const rest = formatQuery({ ...query, field: "" });
  const free = usePicturesAreThere(formatQuery(query));
  return useQuery({
    queryKey: [...keys.labels(project), "histogram", field?.id, classes, states, rest],
    queryFn: async ({ signal }) => {
      const params = { class: classes, state: states, query: rest, bins: 50 };
      return (await api.get<Histogram>(`/fields/${field?.id}/histogram`, { params, signal })).bins;
    },
    enabled: free && field !== undefined,
    placeholderData: keepPreviousData,
  });
}

/** After images were changed: whatever depends on them is asked for again. */
export function forgetImages(client: QueryClient, project: number): void {
  void client.invalidateQueries({ queryKey: keys.images(project) });
  void client.invalidateQueries({ queryKey: keys.labels(project) });
}
