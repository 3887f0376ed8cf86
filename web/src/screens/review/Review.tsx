import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { api, type Change, type Run } from "~/api";
import { ALL_IMAGES, type ImageQuery } from "~/api/image-query";
import { notifyDone, notifyError } from "~/app/notify";
import { usePaletteActions } from "~/app/palette-store";
import { paths } from "~/app/routes";
import { useShortcuts } from "~/app/shortcuts";
import { writeView as writeImagesView } from "~/app/view";
import { confirm, many, useColors, useSkeletons } from "~/ui";
import { ApproveDialog } from "./ApproveDialog";
import { Bar } from "./Bar";
import type { Verdict } from "./desk";
import { askedBy, type ReviewView, readView, selection, writeView } from "./filter";
import { Head } from "./Head";
import { List } from "./List";
import { useCounts, useCrops, useDesk, useImages, useOthers, useSummary } from "./live";
import { NOTHING, type Picked, step } from "./picking";
import { RelabelDialog } from "./RelabelDialog";
import classes from "./review.module.css";
import { Sidebar } from "./Sidebar";
import { reviewShortcuts } from "./shortcuts";
import { shownCount } from "./shown";

export interface Entry {
  id: number;
  image: number;
  labels: readonly number[];
}

const SIZES = [88, 112, 144, 184, 232, 296, 376];

/** The view lives in the address, written when it rests: browsers refuse an address that changes with every pixel. */
function useView(): [ReviewView, (change: Partial<ReviewView>) => void] {
  const search = useSearch();
  const [location, go] = useLocation();
  const [view, setView] = useState(() => readView(search));
  const written = useRef(search);
  useEffect(() => {
    if (search === written.current) return;
    written.current = search;
    setView(readView(search));
  }, [search]);
  useEffect(() => {
    const text = writeView(view);
    if (text === writeView(readView(written.current))) return;
    const timer = setTimeout(() => {
      written.current = text;
      go(text ? `${location}?${text}` : location, { replace: true });
    }, 250);
    return () => clearTimeout(timer);
  }, [view, location, go]);
  return [view, useCallback((change) => setView((old) => ({ ...old, ...change })), [])];
}

export function Review({ run }: { run: Run }) {
  const [, go] = useLocation();
  const [view, setView] = useView();
  const [stamp, setStamp] = useState(0);
  const [picked, setPicked] = useState<Picked>(NOTHING);
  const [columns, setColumns] = useState(1);
  const [zoom, setZoom] = useState({ crops: 2, images: 4 });
  const [shapes, setShapes] = useState(true);
  const [dialog, setDialog] = useState<"approve" | "relabel" | null>(null);
  const [busy, setBusy] = useState(false);
  const open = run.state === "in_review";
  const asked = askedBy(view);
  const colors = useColors(run.project_id);
  const skeletons = useSkeletons(run.project_id);

  const bump = useCallback(() => setStamp((old) => old + 1), []);
  const counts = useCounts(run.id, asked, stamp);
  const summary = useSummary(run.id, stamp);
  const { desk, marks } = useDesk(run, bump);
  const crops = useCrops(run.id, asked, view.order, view.look === "crops");
  const images = useImages(run.id, asked, view.order, view.look === "images");
  const { feed, listed } = view.look === "crops" ? crops : images;

  const entries = useMemo<Entry[]>(
    () =>
      view.look === "crops"
        ? crops.listed.items.map(({ label }) => ({ id: label.id, image: label.image_id, labels: [label.id] }))
        : images.listed.items.map((image) => ({
            id: image.id,
            image: image.id,
            labels: (image.labels ?? []).map((label) => label.id),
          })),
    [view.look, crops.listed.items, images.listed.items],
  );
  const idAt = useCallback((place: number) => entries[place]?.id, [entries]);

  // Another list: what was picked and decided in the old one is over.
  const { edition } = listed;
  // biome-ignore lint/correctness/useExhaustiveDependencies: these tell that the list is another one
  useEffect(() => {
    setPicked(NOTHING);
    desk.clear();
  }, [edition, view.look, desk]);

  const refresh = useCallback(() => {
    bump();
    feed.refresh();
  }, [bump, feed]);
  useOthers(run, desk, refresh);

  const tidy = useCallback(() => {
    void desk.idle().then(() => feed.reopen());
  }, [desk, feed]);

  const chosen = () => entries.filter((entry) => picked.ids.has(entry.id));
  const decide = (verdict: Verdict): boolean => {
    const found = chosen();
    if (!open || found.length === 0) return false;
    desk.decide(
      verdict,
      found.flatMap((entry) => entry.labels),
    );
    const last = entries.findLastIndex((entry) => picked.ids.has(entry.id));
    const next = entries.findIndex(
      (entry, place) => place > last && entry.labels.some((label) => !desk.snapshot().has(label)),
    );
    if (next >= 0 && verdict.kind !== "reopen")
      setPicked({ cursor: next, anchor: next, ids: new Set([entries[next]!.id]) });
    return true;
  };
  const undo = () => {
    const ids = desk.undo();
    if (!ids) return false;
    const back = new Set(ids);
    const found = entries.filter((entry) => entry.labels.some((label) => back.has(label)));
    const cursor = entries.findIndex((entry) => entry.id === found[0]?.id);
    if (cursor >= 0) setPicked({ cursor, anchor: cursor, ids: new Set(found.map((entry) => entry.id)) });
    return true;
  };

  /** What the filter shows, all at once: the pages are read anew after it. */
  const bulk = async (path: string, body: object, said: (change: Change) => string) => {
    setBusy(true);
    try {
      await desk.idle();
      const change = await api.post<Change>(`/runs/${run.id}/review/${path}`, { body });
      desk.own.add(change.id);
      bump();
      feed.reopen();
      notifyDone(said(change), {
        label: "Undo",
        run: () => void undoChange(change),
      });
    } catch (error) {
      notifyError("Nothing was changed", error);
    } finally {
      setBusy(false);
    }
  };
  const undoChange = async (change: Change) => {
    try {
      const made = await api.post<Change>(`/projects/${run.project_id}/changes/${change.id}/undo`);
      desk.own.add(made.id);
      bump();
      feed.reopen();
    } catch (error) {
      notifyError("It was not undone", error);
    }
  };
  const actions = {
    promote: () =>
      bulk("promote", selection(asked), (change) => `${many(change.count, "label")} put up for approval.`),
    rejectAll: async (count: number) => {
      const yes = await confirm({
        title: `Reject ${many(count, "proposal")}?`,
        body: "All that the filter shows are marked as wrong. They are kept, as negatives, and can be taken back until the run is approved.",
        action: `Reject ${many(count, "proposal")}`,
        danger: true,
      });
      if (yes) await bulk("reject", selection(asked), (change) => `${many(change.count, "label")} rejected.`);
    },
    restore: () => {
      const { query: _, ...body } = selection(asked);
      return bulk("restore", body, (change) => `${many(change.count, "label")} back among the proposals.`);
    },
    undoAll: (names: string[]) =>
      bulk(
        "undo",
        { classes: names },
        (change) => `${many(change.count, "label")} back among the proposals.`,
      ),
  };

  const names = [...colors.keys()];
  const move = (by: number) => (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest?.("[role=slider], [role=tab], [role=radio], input"))
      return false;
    setPicked(step(picked, by, entries.length, event.shiftKey, idAt));
  };
  const openImage = (place: number) => {
    const entry = entries[place];
    if (!entry) return;
    const query: ImageQuery = {
      ...ALL_IMAGES,
      field: run.field,
      classes: asked.className === null ? [] : [asked.className],
      low: asked.min,
      high: asked.max,
      states: [asked.state],
    };
    go(paths.image(run.project_id, entry.image, writeImagesView({ query })));
  };
  const scale = (by: number) => () =>
    setZoom((old) => ({
      ...old,
      [view.look]: Math.min(SIZES.length - 1, Math.max(0, old[view.look] + by)),
    }));
  const turn = () => setView({ order: view.order === "confidence" ? "-confidence" : "confidence" });

  useShortcuts(reviewShortcuts, {
    accept: () => decide({ kind: "promote" }),
    reject: () => decide({ kind: "reject" }),
    relabel: () => (open && picked.ids.size > 0 ? setDialog("relabel") : false),
    number: (event) => {
      const className = names[Number(event.key) - 1];
      return className !== undefined && decide({ kind: "relabel", className });
    },
    reopen: () => decide({ kind: "reopen" }),
    undo,
    right: move(1),
    left: move(-1),
    down: move(columns),
    up: move(-columns),
    all: () => setPicked({ ...picked, ids: new Set(entries.map((entry) => entry.id)) }),
    none: () => (picked.ids.size > 0 || picked.cursor >= 0 ? setPicked(NOTHING) : false),
    tidy,
    open: (event) => {
      if ((event.target as HTMLElement).closest?.("button, a, [role=tab]") || picked.cursor < 0) return false;
      openImage(picked.cursor);
    },
    shapes: () => setShapes((old) => !old),
    order: turn,
    look: () => setView({ look: view.look === "crops" ? "images" : "crops" }),
    tab: () => setView({ tab: view.tab === "review" ? "approval" : "review" }),
    larger: scale(1),
    smaller: scale(-1),
  });
  usePaletteActions([
    {
      id: "review-look",
      group: "Review",
      label: view.look === "crops" ? "Look at images" : "Look at crops",
      keys: "v",
      run: () => setView({ look: view.look === "crops" ? "images" : "crops" }),
    },
    { id: "review-order", group: "Review", label: "Turn the order around", keys: "s", run: turn },
    ...(open
      ? [{ id: "review-approve", group: "Review", label: "Approve …", run: () => setDialog("approve") }]
      : []),
  ]);

  const decided = entries.filter((entry) => entry.labels.some((label) => marks.has(label))).length;
  const size = SIZES[zoom[view.look]]!;
  return (
    <div className={classes.screen}>
      <Head run={run} view={view} onView={setView} summary={summary} onApprove={() => setDialog("approve")} />
      <div className={classes.body}>
        <Sidebar
          run={run}
          view={view}
          onView={setView}
          asked={asked}
          counts={counts}
          summary={summary}
          colors={colors}
          busy={busy}
          actions={actions}
          retry={bump}
        />
        <section
          className={classes.main}
          aria-label={view.tab === "review" ? "Proposals" : "Promoted labels"}
        >
          <List
            run={run}
            view={view}
            onView={setView}
            asked={asked}
            listed={listed}
            crops={crops.listed.items}
            images={images.listed.items}
            feed={feed}
            marks={marks}
            colors={colors}
            skeletons={skeletons}
            shapes={shapes}
            size={size}
            zoom={{ value: zoom[view.look], most: SIZES.length - 1, by: scale }}
            onShapes={() => setShapes(!shapes)}
            picked={picked}
            onPick={setPicked}
            onOpen={openImage}
            onColumns={setColumns}
            idAt={idAt}
            total={view.tab === "review" ? shownCount(counts.stats, asked.className) : null}
          />
          <Bar
            open={open}
            tab={view.tab}
            pile={view.pile}
            picked={chosen().reduce((sum, entry) => sum + entry.labels.length, 0)}
            decided={decided}
            undoable={desk.undoable}
            onVerdict={decide}
            onRelabel={() => setDialog("relabel")}
            onUndo={undo}
            onTidy={tidy}
            onNone={() => setPicked(NOTHING)}
          />
        </section>
      </div>
      {dialog === "approve" && (
        <ApproveDialog
          run={run}
          summary={summary}
          colors={colors}
          onClose={() => setDialog(null)}
          before={() => desk.idle()}
          done={() => {
            setDialog(null);
            bump();
            feed.reopen();
          }}
        />
      )}
      {dialog === "relabel" && (
        <RelabelDialog
          projectId={run.project_id}
          colors={colors}
          count={chosen().reduce((sum, entry) => sum + entry.labels.length, 0)}
          onClose={() => setDialog(null)}
          onChoose={(className) => {
            setDialog(null);
            decide({ kind: "relabel", className });
          }}
        />
      )}
    </div>
  );
}
