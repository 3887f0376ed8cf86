import { Button, Checkbox, Group } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { api, type ImageIds, type ImageList, keys } from "~/api";
import { ALL_IMAGES, formatQuery } from "~/api/image-query";
import { count, many } from "~/ui/format";
import { useEditor } from "../context";
import styles from "./learning.module.css";
import { useLearning } from "./state";

const ROW = 28;
const PAGE = 200;

/** The images of the project with check boxes: those that a training learns from. */
export function TrainingImages() {
  const { projectId, field, imageId } = useEditor();
  const chosen = useLearning((state) => state.images);
  const all = useIds(projectId, "");
  const labelled = useIds(projectId, formatQuery({ ...ALL_IMAGES, withLabels: [field] }));
  const withLabels = useMemo(() => new Set(labelled), [labelled]);
  const picked = chosen ?? withLabels;
  const set = (images: ReadonlySet<number>) => useLearning.setState({ images });
  const toggle = (id: number) => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    set(next);
  };
  const root = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: all.length,
    getScrollElement: () => root.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const items = rows.getVirtualItems();
  const names = useNames(projectId, all, items[0]?.index ?? 0, items.at(-1)?.index ?? 0);
  const useful = [...picked].filter((id) => withLabels.has(id)).length;
  return (
    <div>
      <Group justify="space-between" mb={8}>
        <span>
          {many(picked.size, "image")} chosen, {count(useful)} with labels
        </span>
        <Group gap={8}>
          <Button variant="default" onClick={() => useLearning.setState({ images: null })}>
            Select all with labels
          </Button>
          <Button variant="default" onClick={() => set(new Set())}>
            Deselect all
          </Button>
        </Group>
      </Group>
      <div
        className={styles.images}
        ref={root}
        role="listbox"
        aria-label="Training images"
        aria-multiselectable
      >
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {items.map(({ index, start }) => {
            const id = all[index]!;
            const state = id === imageId ? "loaded" : withLabels.has(id) ? "has labels" : "no labels";
            return (
              // biome-ignore lint/a11y/noLabelWithoutControl: the control is Mantine's check box
              <label key={id} className={styles.image} style={{ transform: `translateY(${start}px)` }}>
                <Checkbox
                  checked={picked.has(id)}
                  onChange={() => toggle(id)}
                  aria-label={names.get(id) ?? `Image ${id}`}
                />
                <i data-state={state} />
                <span className="cs-truncate">{names.get(id) ?? ""}</span>
                <small>{id === imageId && !withLabels.has(id) ? "loaded, no labels" : state}</small>
              </label>
            );
          })}
        </div>
      </div>
      <p className={styles.legend}>
        <i data-state="loaded" /> loaded in the editor <i data-state="has labels" /> has labels{" "}
        <i data-state="no labels" /> no labels
      </p>
    </div>
  );
}

function useIds(projectId: number, query: string): readonly number[] {
  const { data } = useQuery({
    queryKey: [...keys.images(projectId), "ids", query, "id"],
    queryFn: async ({ signal }) =>
      (
        await api.get<ImageIds>(`/projects/${projectId}/images/ids`, {
          params: { query, sort: "id" },
          signal,
        })
      ).ids,
    // What has labels changes while one labels.
    staleTime: query ? 0 : 60_000,
  });
  return data ?? NONE;
}

const NONE: readonly number[] = [];

/** Names of the images in sight, a page or two at a time. */
function useNames(
  projectId: number,
  ids: readonly number[],
  first: number,
  last: number,
): ReadonlyMap<number, string> {
  const from = Math.floor(first / PAGE) * PAGE;
  const wanted = ids.slice(from, Math.max(last + 1, from + PAGE));
  const { data } = useQuery({
    queryKey: [...keys.images(projectId), "names", wanted[0] ?? 0, wanted.at(-1) ?? 0, wanted.length],
    queryFn: async ({ signal }) =>
      (
        await api.post<ImageList>(`/projects/${projectId}/images/lookup`, {
          body: { ids: wanted },
          signal,
          retries: 2,
        })
      ).items,
    enabled: wanted.length > 0,
    placeholderData: keepPreviousData,
  });
  return useMemo(() => new Map((data ?? []).map((each) => [each.id, each.name])), [data]);
}
