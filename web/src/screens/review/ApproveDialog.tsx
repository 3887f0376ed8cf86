import { Autocomplete, Button, Group, Modal } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { api, type Change, type Count, keys, type ReviewSummary, type Run, tell, useFields } from "~/api";
import { ALL_IMAGES, formatQuery } from "~/api/image-query";
import { notifyDone } from "~/app/notify";
import { ClassDot, colorOf, count, many } from "~/ui";
import styles from "./approveDialog.module.css";
import { stateCount } from "./Head";

interface Props {
  run: Run;
  summary: ReviewSummary | null;
  colors: ReadonlyMap<string, string>;
  onClose: () => void;
  /** Waited for before it is approved: verdicts on their way. */
  before: () => Promise<void>;
  done: () => void;
}

const NAME = /^[^\W\d_][\w.-]{0,63}$/u;
/** Images with a promoted label of this run; with `and`: that have a label in that field as well. */
const imagesOf = (run: Run, and: string[] = []) =>
  formatQuery({ ...ALL_IMAGES, field: run.field, states: ["promoted"], withLabels: and });

/** So many classes are named; the rest is counted. */
const NAMED = 12;
const largest = (classes: ReviewSummary["promoted"]) =>
  classes.toSorted((a, b) => b.count - a.count).slice(0, NAMED);

/** Says exactly what an approval will do, and does it. */
export function ApproveDialog({ run, summary, colors, onClose, before, done }: Props) {
  const client = useQueryClient();
  const [into, setInto] = useState("ground_truth");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const fields = useFields(run.project_id).data ?? [];
  const targets = fields.filter((field) => field.run_id === null).map((field) => field.name);
  const target = fields.find((field) => field.name === into);
  const promoted = stateCount(summary, "promoted");
  const rest = stateCount(summary, "proposed") + stateCount(summary, "rejected");
  const images = useImageCount(run, imagesOf(run), promoted);
  const twice = useImageCount(run, target ? imagesOf(run, [into]) : "", promoted);
  const problem = target?.run_id
    ? `${into} holds what a run proposed: choose another field.`
    : into && !NAME.test(into) && !target
      ? "A letter first, then letters, digits, _ - or . (64 at most)."
      : "";
  const approve = async () => {
    setBusy(true);
    setError(null);
    try {
      await before();
      const change = await api.post<Change>(`/runs/${run.id}/review/approve`, {
        body: { into, empty: promoted === 0 },
      });
      await Promise.all([
        client.invalidateQueries({ queryKey: keys.run(run.id) }),
        client.invalidateQueries({ queryKey: keys.runs(run.project_id) }),
        client.invalidateQueries({ queryKey: keys.fields(run.project_id) }),
      ]);
      notifyDone(
        change.count > 0
          ? `${many(change.count, "label")} approved into ${into}. The run is closed.`
          : "The run is closed. No label was taken over.",
      );
      done();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const told = error ? tell(error) : null;
  return (
    <Modal
      opened
      onClose={onClose}
      title={promoted === 0 ? "Close the run without labels" : `Approve ${many(promoted, "label")}`}
      size={480}
    >
      <div className={styles.dialog}>
        {promoted > 0 && (
          <Autocomplete
            label="Into the field"
            description="Labels that are verified. A name that is not there yet makes a new field."
            data={targets.length > 0 ? targets : ["ground_truth"]}
            value={into}
            onChange={(name) => setInto(name.trim())}
            error={problem || undefined}
            maxLength={64}
          />
        )}
        <div className={styles.consequences}>
          <h3>What will happen</h3>
          <ul>
            <li hidden={promoted === 0}>
              <b>{many(promoted, "label")}</b>
              {images !== null && ` on ${many(images, "image")}`} {promoted === 1 ? "is" : "are"} copied into{" "}
              <b>{into || "…"}</b> as verified
              {target
                ? `, which then has ${count(target.labels + promoted)} (now ${count(target.labels)}).`
                : ", a new field."}
              {summary && summary.promoted.length > 0 && (
                <span className={styles.byClass}>
                  {largest(summary.promoted).map((each) => (
                    <span key={each.name}>
                      <ClassDot color={colorOf(each.name, colors)} size={8} /> {each.name} {count(each.count)}
                    </span>
                  ))}
                  {summary.promoted.length > NAMED && (
                    <span>and {many(summary.promoted.length - NAMED, "more class", "more classes")}</span>
                  )}
                </span>
              )}
            </li>
            <li>
              <b>{many(rest, promoted === 0 ? "proposal" : "other proposal")}</b> of this run{" "}
              {rest === 1 ? "stays" : "stay"} in <b>{run.field}</b> and {rest === 1 ? "counts" : "count"} as
              rejected.
            </li>
            <li>
              The run is closed. This cannot be undone as a whole; single labels can be changed afterwards.
            </li>
          </ul>
          {twice !== null && twice > 0 && (
            <p className={styles.warning}>
              <TriangleAlert size={14} />
              <span>
                {many(twice, "of these images has", "of these images have")} labels in {into} already. They
                stay beside the new ones: look for doubles.
              </span>
            </p>
          )}
          {promoted === 0 && (
            <p className={styles.warning}>
              <TriangleAlert size={14} />
              <span>Nothing is up for approval: this closes the run and takes over no label.</span>
            </p>
          )}
        </div>
        {told && (
          <p className={styles.problem} role="alert">
            {told.what} {told.todo}
          </p>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            loading={busy}
            disabled={!into || problem !== "" || summary === null}
            color={promoted === 0 ? "red" : undefined}
            onClick={() => void approve()}
            data-autofocus
          >
            {promoted === 0 ? "Close the run without labels" : `Approve ${many(promoted, "label")}`}
          </Button>
        </Group>
      </div>
    </Modal>
  );
}

function useImageCount(run: Run, query: string, stamp: number): number | null {
  const { data } = useQuery({
    queryKey: [...keys.images(run.project_id), "count", query, stamp],
    queryFn: ({ signal }) =>
      api.get<Count>(`/projects/${run.project_id}/images/count`, { params: { query }, signal }),
    enabled: query !== "",
    staleTime: 0,
  });
  return query ? (data?.count ?? null) : null;
}
