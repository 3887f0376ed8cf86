import { Button, SegmentedControl, Tooltip } from "@mantine/core";
import { Undo2, X } from "lucide-react";
import type { CSSProperties } from "react";
import type { ReviewSummary, Run } from "~/api";
import { ClassDot, ConfidenceRange, colorOf, confidence, count, ErrorState, many } from "~/ui";
import type { Asked, Pile, ReviewView } from "./filter";
import { stateCount } from "./Head";
import type { Counts } from "./live";
import classes from "./review.module.css";
import { shownCount } from "./shown";

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
    <aside className={classes.sidebar} aria-label="Filter">
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
  return (
    <>
      <div className={classes.sideTop}>
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
        <div className={classes.hint}>
          {unsure > 0 &&
            (filtered
              ? `${many(unsure, "label")} without a confidence ${unsure === 1 ? "is" : "are"} not in any range.`
              : `${many(unsure, "label")} ${unsure === 1 ? "has" : "have"} no confidence.`)}
        </div>
        {view.query && (
          <button type="button" className={classes.query} onClick={() => onView({ query: "" })}>
            <span className="cs-truncate">Only images: {view.query}</span>
            <X size={12} />
          </button>
        )}
      </div>
      <div className={classes.table}>
        {counts.error ? (
          <ErrorState title="The counts could not be loaded" error={counts.error} retry={retry} />
        ) : (
          <table style={{ "--numbers": `${2 * count(stats?.total ?? 0).length + 5}ch` } as CSSProperties}>
            <thead>
              <tr>
                <th scope="col">Class</th>
                <th scope="col">Shown of total</th>
                <th scope="col">Mean</th>
              </tr>
            </thead>
            <tbody>
              {(stats?.items ?? []).map((each) => (
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
            </tbody>
            {stats && stats.items.length > 1 && (
              <tfoot>
                <tr>
                  <th scope="row">All</th>
                  <td>
                    <b>{count(stats.current)}</b> <span>of {count(stats.total)}</span>
                  </td>
                  <td />
                </tr>
              </tfoot>
            )}
          </table>
        )}
      </div>
      {open && (
        <div className={classes.sideFoot}>
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
  const promoted = summary?.promoted ?? [];
  const all = promoted.reduce((sum, each) => sum + each.count, 0);
  return (
    <>
      <div className={classes.sideTop}>
        <p className={classes.explain}>
          {open
            ? "These were put up for approval. Approving copies them into the target field as verified labels and closes the run."
            : `Approved into ${run.target_field}. The run is closed: its labels do not change any more.`}
        </p>
      </div>
      <div className={classes.table}>
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
                        className={classes.undo}
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
        <div className={classes.sideFoot}>
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
