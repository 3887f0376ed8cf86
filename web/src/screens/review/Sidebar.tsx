import { Button, SegmentedControl, TextInput, Tooltip } from "@mantine/core";
import { ArrowDown, ArrowUp, Search, Undo2, X } from "lucide-react";
import { type CSSProperties, useMemo, useState } from "react";
import type { ReviewSummary, Run } from "~/api";
import { ClassDot, ConfidenceRange, colorOf, confidence, count, ErrorState, many } from "~/ui";
import type { Asked, Pile, ReviewView } from "./filter";
import { stateCount } from "./Head";
import type { Counts } from "./live";
import classes from "./review.module.css";
import { shownCount } from "./shown";
import styles from "./sidebar.module.css";
import { byName, type Sorting, type SortKey, sortBy, sorted } from "./table";

interface Props {
  run: Run;
  view: ReviewView;
  onView: (change: Partial<ReviewView>) => void;
  asked: Asked;
  counts: Counts;
  summary: ReviewSummary | null;
  colors: ReadonlyMap<string, string>;
  busy: boolean;
  retry: () => void;
  actions: {
    promote: () => void;
    rejectAll: (count: number) => void;
    restore: () => void;
    undoAll: (classes: string[]) => void;
  };
}

export function Sidebar(props: Props) {
  return (
    <aside className={styles.sidebar} aria-label="Filter">
      {props.view.tab === "review" ? <ReviewSide {...props} /> : <ApprovalSide {...props} />}
    </aside>
  );
}

function ReviewSide({ run, view, onView, counts, summary, colors, busy, actions, retry }: Props) {
  const { stats, bins } = counts;
  const open = run.state === "in_review";
  const shown = shownCount(stats, view.className);
  const unsure = summary?.without_confidence ?? 0;
  const filtered = view.min > 0 || view.max < 1;
  const [sorting, setSorting] = useState<Sorting>({ by: "name", down: false });
  const [text, setText] = useState("");
  const all = stats?.items.length ?? 0;
  const most = useMemo(() => Math.max(0, ...(stats?.items ?? []).map((each) => each.total)), [stats]);
  const rows = useMemo(
    () => sorted(stats?.items ?? [], sorting, all > MANY ? text : ""),
    [stats, sorting, text, all],
  );
  const head = (by: SortKey, words: string) => (
    <SortHead by={by} sorting={sorting} onSort={() => setSorting(sortBy(sorting, by))}>
      {words}
    </SortHead>
  );
  return (
    <>
      <div className={styles.sideTop}>
        <SegmentedControl
          fullWidth
          aria-label="Which proposals"
          value={view.pile}
          onChange={(pile) => onView({ pile: pile as Pile })}
          data={[
            { value: "proposed", label: "To review" },
            {
              value: "rejected",
              label: `Rejected${summary ? ` ${count(stateCount(summary, "rejected"))}` : ""}`,
            },
          ]}
        />
        <ConfidenceRange
          value={[view.min, view.max]}
          onChange={([min, max]) => onView({ min, max })}
          histogram={bins}
        />
        <div className={styles.hint}>
          {unsure > 0 &&
            (filtered
              ? `${many(unsure, "label")} without a confidence ${unsure === 1 ? "is" : "are"} not in any range.`
              : `${many(unsure, "label")} ${unsure === 1 ? "has" : "have"} no confidence.`)}
        </div>
        {all > MANY && (
          <TextInput
            aria-label="Find a class"
            placeholder={`Find one of ${count(all)} classes`}
            leftSection={<Search size={14} />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        )}
        {view.query && (
          <button type="button" className={styles.query} onClick={() => onView({ query: "" })}>
            <span className="cs-truncate">Only images: {view.query}</span>
            <X size={12} />
          </button>
        )}
      </div>
      <div className={styles.table}>
        {counts.error ? (
          <ErrorState title="The counts could not be loaded" error={counts.error} retry={retry} />
        ) : (
          <table style={{ "--numbers": `${2 * count(most).length + 5}ch` } as CSSProperties}>
            <thead>
              <tr>
                {head("name", "Class")}
                {head("count", "Shown of total")}
                {head("mean", "Mean")}
              </tr>
            </thead>
            <tbody>
              {rows.map((each) => (
                <ClassRow
                  key={each.class_name}
                  name={each.class_name}
                  color={colorOf(each.class_name, colors)}
                  picked={view.className === each.class_name}
                  onPick={() =>
                    onView({ className: view.className === each.class_name ? null : each.class_name })
                  }
                >
                  <td>
                    <b>{count(each.current)}</b> <span>of {count(each.total)}</span>
                  </td>
                  <td>{confidence(each.mean_confidence)}</td>
                </ClassRow>
              ))}
              {!stats && [1, 2, 3].map((each) => <SkeletonRow key={each} />)}
              {stats && rows.length === 0 && all > 0 && (
                <tr className={styles.noRow}>
                  <td colSpan={3}>No class has “{text.trim()}” in its name.</td>
                </tr>
              )}
            </tbody>
            {stats && stats.items.length > 1 && (
              <tfoot>
                <tr>
                  <th scope="row">All</th>
                  <td>
                    {/* Wider than what stands above it: it may reach over to the left. */}
                    <div>
                      <b>{count(stats.current)}</b> <span>of {count(stats.total)}</span>
                    </div>
                  </td>
                  <td />
                </tr>
              </tfoot>
            )}
          </table>
        )}
      </div>
      {open && (
        <div className={styles.sideFoot}>
          {view.pile === "proposed" ? (
            <>
              <Button fullWidth size="sm" disabled={!shown || busy} onClick={actions.promote}>
                {shown === null ? "Add labels for approval" : `Add ${many(shown, "label")} for approval`}
              </Button>
              <Button
                fullWidth
                variant="subtle"
                color="gray"
                disabled={!shown || busy}
                onClick={() => actions.rejectAll(shown ?? 0)}
              >
                Reject them instead …
              </Button>
            </>
          ) : (
            <Button fullWidth size="sm" variant="default" disabled={!shown || busy} onClick={actions.restore}>
              {`Take ${many(shown ?? 0, "label")} back to the proposals`}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

function ApprovalSide({ run, view, onView, summary, colors, busy, actions }: Props) {
  const open = run.state === "in_review";
  const promoted = useMemo(() => byName(summary?.promoted ?? []), [summary]);
  const all = promoted.reduce((sum, each) => sum + each.count, 0);
  return (
    <>
      <div className={styles.sideTop}>
        <p className={classes.explain}>
          {open
            ? "These were put up for approval. Approving copies them into the target field as verified labels and closes the run."
            : `${summary && all === 0 ? "Nothing was approved." : `Approved into ${run.target_field}.`} The run is closed: its labels do not change any more.`}
        </p>
      </div>
      <div className={styles.table}>
        <table>
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col">{open ? "Promoted" : "Approved"}</th>
              <th scope="col">
                <span className="cs-hidden">Undo</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {promoted.map((each) => (
              <ClassRow
                key={each.name}
                name={each.name}
                color={colorOf(each.name, colors)}
                picked={view.className === each.name}
                onPick={() => onView({ className: view.className === each.name ? null : each.name })}
              >
                <td>
                  <b>{count(each.count)}</b>
                </td>
                <td>
                  {open && (
                    <Tooltip label={`Take back ${many(each.count, "label")} of ${each.name}`}>
                      <button
                        type="button"
                        className={styles.undo}
                        aria-label={`Undo ${each.name}`}
                        disabled={busy}
                        onClick={(event) => {
                          event.stopPropagation();
                          actions.undoAll([each.name]);
                        }}
                      >
                        <Undo2 size={14} />
                      </button>
                    </Tooltip>
                  )}
                </td>
              </ClassRow>
            ))}
            {!summary && [1, 2, 3].map((each) => <SkeletonRow key={each} />)}
          </tbody>
        </table>
      </div>
      {open && (
        <div className={styles.sideFoot}>
          <Button
            fullWidth
            variant="default"
            leftSection={<Undo2 size={14} />}
            disabled={all === 0 || busy}
            onClick={() => actions.undoAll([])}
          >
            Undo all {all > 0 ? count(all) : ""}
          </Button>
        </div>
      )}
    </>
  );
}

/** From so many classes on there is a field to find one. */
const MANY = 12;

interface HeadProps {
  by: SortKey;
  sorting: Sorting;
  onSort: () => void;
  children: string;
}

/** The head of a column; a click sorts by it. */
function SortHead({ by, sorting, onSort, children }: HeadProps) {
  const mine = sorting.by === by;
  const Arrow = sorting.down ? ArrowDown : ArrowUp;
  return (
    <th scope="col" aria-sort={mine ? (sorting.down ? "descending" : "ascending") : undefined}>
      <button type="button" className={styles.sort} onClick={onSort} title="Sort by this column">
        {mine && <Arrow size={12} />}
        {children}
      </button>
    </th>
  );
}

interface RowProps {
  name: string;
  color: string;
  picked: boolean;
  onPick: () => void;
  children: React.ReactNode;
}

/** A class; the row filters to it, once more clears that. */
function ClassRow({ name, color, picked, onPick, children }: RowProps) {
  return (
    <tr data-picked={picked || undefined} onClick={onPick}>
      <th scope="row">
        <button
          type="button"
          aria-pressed={picked}
          title={picked ? "Show all classes" : `Show only ${name}`}
          onClick={(event) => {
            event.stopPropagation();
            onPick();
          }}
        >
          <ClassDot color={color} />
          <span className="cs-truncate">{name}</span>
        </button>
      </th>
      {children}
    </tr>
  );
}

function SkeletonRow() {
  return (
    <tr aria-hidden className={classes.skeleton}>
      <th scope="row">
        <i style={{ width: 80 }} />
      </th>
      <td>
        <i style={{ width: 64 }} />
      </td>
      <td>
        <i style={{ width: 24 }} />
      </td>
    </tr>
  );
}
