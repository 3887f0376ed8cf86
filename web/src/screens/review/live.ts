/** What a review reads from the server, live: counts, histogram, pages, and the desk for verdicts. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import {
  api,
  type BatchResult,
  type Change,
  type Histogram,
  type Image,
  keys,
  onServerEvent,
  type ReviewLabel,
  type ReviewStats,
  type ReviewSummary,
  type Run,
} from "~/api";
import { notifyError } from "~/app/notify";
import { Desk, type Verdict } from "./desk";
import { Feed } from "./feed";
import { type Asked, type Order, params } from "./filter";
import { Latest } from "./latest";

export interface Counts {
  stats: ReviewStats | null;
  bins: readonly number[] | undefined;
  error: unknown;
}

/** The class table and the histogram. `stamp` changes when labels have changed. */
export function useCounts(run: number, asked: Asked, stamp: number): Counts {
  const [counts, setCounts] = useState<Counts>({ stats: null, bins: undefined, error: null });
  const ask = useRef<{ stats: Latest<Asked, ReviewStats>; bins: Latest<Asked, Histogram> } | null>(null);
  useEffect(() => {
    const failed = (error: unknown) => setCounts((old) => ({ ...old, error }));
    const stats = new Latest<Asked, ReviewStats>(
      // Of all classes: the table shows them all, also where one is picked.
      (what) => api.get(`/runs/${run}/review/stats`, { params: params({ ...what, className: null }) }),
      (_, answer) => setCounts((old) => ({ ...old, stats: answer, error: null })),
      failed,
    );
    const bins = new Latest<Asked, Histogram>(
      (what) =>
        api.get(`/runs/${run}/review/histogram`, {
          params: { ...params({ ...what, min: null, max: null }), bins: 50 },
        }),
      (_, answer) => setCounts((old) => ({ ...old, bins: answer.bins })),
      failed,
    );
    ask.current = { stats, bins };
    return () => {
      stats.end();
      bins.end();
    };
  }, [run]);
  const { min, max, className, state, query } = asked;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says that the answer is another one
  useEffect(() => {
    ask.current?.stats.want({ min, max, className: null, state, query });
  }, [min, max, state, query, stamp, run]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says that the answer is another one
  useEffect(() => {
    ask.current?.bins.want({ min: null, max: null, className, state, query });
  }, [className, state, query, stamp, run]);
  return counts;
}

/** How far the review is: labels by state, and the promoted ones by class. */
export function useSummary(run: number, stamp: number): ReviewSummary | null {
  const [summary, setSummary] = useState<ReviewSummary | null>(null);
  const latest = useRef<Latest<number, ReviewSummary> | null>(null);
  useEffect(() => {
    const made = new Latest<number, ReviewSummary>(
      () => api.get(`/runs/${run}/review`),
      (_, answer) => setSummary(answer),
      () => {}, // the counts beside it tell of the same trouble
    );
    latest.current = made;
    return () => made.end();
  }, [run]);
  useEffect(() => latest.current?.want(stamp), [stamp]);
  return summary;
}

const CROPS = 240;
const IMAGES = 60;

function useFeed<T>(path: string, size: number, asked: Asked, order: Order, on: boolean, extra?: object) {
  const feed = useMemo(() => new Feed<T>(size), [size]);
  const question = JSON.stringify([path, params(asked), order, extra]);
  useEffect(() => {
    if (!on) return;
    const [where, what, by, more] = JSON.parse(question);
    const open = () =>
      feed.open((after, limit, signal) =>
        api.get(where, { params: { ...what, ...more, order: by, after, limit }, signal }),
      );
    // Pictures follow when the slider rests: their tiles cost more than counts.
    const timer = setTimeout(open, feed.snapshot().empty ? 0 : 120);
    return () => clearTimeout(timer);
  }, [feed, question, on]);
  useEffect(() => () => feed.close(), [feed]);
  return { feed, listed: useSyncExternalStore(feed.subscribe, feed.snapshot) };
}

export function useCrops(run: number, asked: Asked, order: Order, on: boolean) {
  return useFeed<ReviewLabel>(`/runs/${run}/review/labels`, CROPS, asked, order, on);
}

/** Shapes as a tile shows them: thinned outlines, masks at a fraction of their size. */
const LIGHT = { geometry: "preview" };
export function useImages(run: number, asked: Asked, order: Order, on: boolean) {
  return useFeed<Image>(`/runs/${run}/review/images`, IMAGES, asked, order, on, LIGHT);
}

const MOST = 5000; // operations of one batch

async function inBatches(project: number, ids: readonly number[], change: object): Promise<number[]> {
  const changes: number[] = [];
  for (let at = 0; at < ids.length; at += MOST) {
    const operations = ids.slice(at, at + MOST).map((id) => ({ op: "update", label_id: id, change }));
    const body = { key: crypto.randomUUID(), operations };
    const done = await api.post<BatchResult>(`/projects/${project}/labels/batch`, { body, retries: 2 });
    changes.push(...done.change_ids);
    const refused = done.results.find((each) => each.status !== "done");
    if (refused) throw new Error(refused.problem?.detail ?? "A label could not be changed.");
  }
  return changes;
}

const TITLES: Record<Verdict["kind"] | "undo", string> = {
  promote: "Not accepted",
  reject: "Not rejected",
  reopen: "Not taken back",
  relabel: "The class was not changed",
  undo: "Not undone",
};

/** The desk of a run under review; `settled` is called after every answer. */
export function useDesk(run: Run, settled: () => void) {
  const after = useRef(settled);
  after.current = settled;
  const { id, project_id: project } = run;
  const desk = useMemo(
    () =>
      new Desk(
        {
          send: async (verdict, ids) => {
            if (verdict.kind === "relabel") return inBatches(project, ids, { class_name: verdict.className });
            if (verdict.kind === "reopen") return inBatches(project, ids, { state: "proposed" });
            const body = { label_ids: ids };
            const change = await api.post<Change>(`/runs/${id}/review/${verdict.kind}`, { body });
            return [change.id];
          },
          undo: async (change) => {
            const made = await api.post<Change>(`/projects/${project}/changes/${change}/undo`);
            desk.own.add(made.id);
          },
        },
        () => after.current(),
        (verdict, _ids, error) => notifyError(TITLES[verdict === "undo" ? "undo" : verdict.kind], error),
      ),
    [id, project],
  );
  return { desk, marks: useSyncExternalStore(desk.subscribe, desk.snapshot) };
}

/** Call when somebody else changed labels of the run. */
export function useOthers(run: Run, desk: Desk, changed: () => void): void {
  const then = useRef(changed);
  then.current = changed;
  const client = useQueryClient();
  const { id, project_id: project, field } = run;
  useEffect(() => {
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const end = onServerEvent((event) => {
      if (event.type === "reset") then.current();
      if (event.type !== "change" || event.project_id !== project) return;
      const change = event.change;
      if (change.field !== field && change.verb !== "approve") return;
      // What was done here may be told before its own answer is read: wait for that.
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (desk.own.has(change.id)) return;
        desk.own.add(change.id);
        if (change.verb === "approve") void client.invalidateQueries({ queryKey: keys.run(id) });
        then.current();
      }, 400);
      timers.add(timer);
    });
    return () => {
      end();
      for (const timer of timers) clearTimeout(timer);
    };
  }, [client, id, project, field, desk]);
}
