import { ActionIcon, Button, Menu, Modal, Progress, TextInput, Tooltip } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import {
  Ban,
  CirclePause,
  CirclePlay,
  CopyPlus,
  Ellipsis,
  ListChecks,
  Pencil,
  RotateCw,
  SkipForward,
  TriangleAlert,
} from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { Link } from "wouter";
import { api, keys, type Run } from "~/api";
import { ALL_IMAGES } from "~/api/image-query";
import { notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { writeView } from "~/app/view";
import { TASK_NAMES } from "~/models/catalogue";
import { ago, confidence, confirm, count, duration, many, percent, StateBadge } from "~/ui";
import { engineOf, METHOD_WORDS, tallied } from "./plan";
import classes from "./runs.module.css";

type Verb = "pause" | "resume" | "cancel" | "skip" | "retry";

/** What each verb does not do, if it fails. */
const FAILED: Record<Verb, string> = {
  pause: "The run was not paused",
  resume: "The run was not resumed",
  cancel: "The run was not cancelled",
  skip: "The run did not go to review",
  retry: "The images were not tried again",
};

interface Subject {
  run: Run;
  onFailures: () => void;
}

interface Props extends Subject {
  /** Begin another run with the same settings. */
  onLike: () => void;
}

/** One run: what it does, how far it is, what may be done with it. */
export function RunCard({ run, onFailures, onLike }: Props) {
  const client = useQueryClient();
  const [busy, setBusy] = useState<Verb | null>(null);
  const [naming, setNaming] = useState(false);
  // Workers finish what they are at before they stop: until then the click shall be seen.
  const [asked, setAsked] = useState<"pause" | "cancel" | null>(null);
  const [state, setState] = useState(run.state);
  if (state !== run.state) {
    setState(run.state);
    setAsked(null);
  }
  const may = (verb: Run["actions"][number]) => run.actions.includes(verb);
  const steer = async (verb: Verb) => {
    setBusy(verb);
    try {
      const now = await api.post<Run>(`/runs/${run.id}/${verb}`);
      if (now.state === run.state && (verb === "pause" || verb === "cancel")) setAsked(verb);
      client.setQueryData(keys.run(run.id), now);
      client.setQueryData<Run[]>(keys.runs(run.project_id), (all) =>
        all?.map((each) => (each.id === run.id ? now : each)),
      );
    } catch (error) {
      notifyError(FAILED[verb], error);
    } finally {
      setBusy(null);
    }
  };
  const cancel = async () => {
    const yes = await confirm({
      title: `Cancel the run ${run.name}?`,
      body: `It stops after the images at work. What it has labelled so far (${many(run.progress.labels, "label")}) stays: you can resume it later, or review that.`,
      action: "Cancel the run",
      danger: true,
    });
    if (yes) await steer("cancel");
  };
  const skip = async () => {
    const left = run.progress.pending;
    const yes = await confirm({
      title: "Review what there is?",
      body: `${many(left, "image")} of ${count(run.progress.total)} ${left === 1 ? "is" : "are"} not labelled yet and will be left out of this run.`,
      action: "Skip and continue to review",
    });
    if (yes) await steer("skip");
  };
  const stopped = run.state === "error" || run.state === "cancelled";
  return (
    <article className={classes.card} data-state={run.state} aria-label={`Run ${run.name}`}>
      <div className={classes.top}>
        <h2 className="cs-truncate">
          {may("review") ? <Link href={paths.review(run.project_id, run.id)}>{run.name}</Link> : run.name}
        </h2>
        <StateBadge state={run.state} />
        <div className={classes.actions}>
          {may("pause") && (
            <Verb
              verb="pause"
              disabled={asked !== null}
              busy={busy}
              onClick={() => void steer("pause")}
              icon={<CirclePause size={14} />}
            >
              Pause
            </Verb>
          )}
          {may("skip") && (
            <Verb verb="skip" busy={busy} onClick={() => void skip()} icon={<SkipForward size={14} />}>
              Skip and continue to review
            </Verb>
          )}
          {may("resume") && (
            <Verb
              verb="resume"
              busy={busy}
              onClick={() => void steer("resume")}
              icon={<CirclePlay size={14} />}
              primary
            >
              Resume
            </Verb>
          )}
          {may("cancel") && (
            <Verb verb="cancel" busy={busy} onClick={() => void cancel()} icon={<Ban size={14} />}>
              Cancel
            </Verb>
          )}
          {may("review") && (
            <Button
              component={Link}
              href={paths.review(run.project_id, run.id)}
              variant={run.state === "in_review" ? "filled" : "default"}
              leftSection={<ListChecks size={14} />}
            >
              {run.state === "in_review" ? "Review" : "Look"}
            </Button>
          )}
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={`More for ${run.name}`}>
                <Ellipsis size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<Pencil size={14} />} onClick={() => setNaming(true)}>
                Rename …
              </Menu.Item>
              {run.model && (
                <Menu.Item leftSection={<CopyPlus size={14} />} onClick={onLike}>
                  New run like this …
                </Menu.Item>
              )}
              {run.progress.failed > 0 && (
                <Menu.Item leftSection={<TriangleAlert size={14} />} onClick={onFailures}>
                  Images that failed …
                </Menu.Item>
              )}
              {may("retry") && (
                <Menu.Item leftSection={<RotateCw size={14} />} onClick={() => void steer("retry")}>
                  Try failed images again
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        </div>
      </div>
      <Facts run={run} />
      <Told run={run} />
      {run.state !== "approved" && run.state !== "in_review" && (
        <Bar run={run} asked={asked} onFailures={onFailures} />
      )}
      {(run.state === "approved" || run.state === "in_review") && (
        <Outcome run={run} onFailures={onFailures} />
      )}
      {stopped && (
        <p
          className={classes.reason}
          data-tone={run.state}
          role={run.state === "error" ? "alert" : undefined}
        >
          <TriangleAlert size={14} />
          <span>
            {reason(run)}{" "}
            {run.progress.labels > 0
              ? "What is done is kept: resume it, or review what there is."
              : run.state === "error"
                ? "Nothing was labelled: resume it when the cause is gone, or begin another run."
                : "Nothing was labelled yet: resume it when you like."}
          </span>
        </p>
      )}
      {naming && <Rename run={run} onClose={() => setNaming(false)} />}
    </article>
  );
}

/** Why it stopped, as a sentence. */
function reason(run: Run): string {
  const said =
    run.error || (run.state === "cancelled" ? "it was cancelled" : "it stopped; no reason is known");
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.!?]$/.test(said) ? "" : "."}`;
}

function Verb(props: {
  verb: Verb;
  busy: Verb | null;
  icon: ReactNode;
  primary?: boolean;
  disabled?: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Button
      variant={props.primary ? "filled" : "default"}
      leftSection={props.icon}
      loading={props.busy === props.verb}
      disabled={props.disabled || (props.busy !== null && props.busy !== props.verb)}
      onClick={props.onClick}
    >
      {props.children}
    </Button>
  );
}

function Facts({ run }: { run: Run }) {
  const names = run.classes.join(", ");
  return (
    <dl className={classes.facts}>
      <Fact name={run.refiner ? "Models" : "Model"} title={madeBy(run)}>
        {madeBy(run)}
      </Fact>
      <Fact name="Field">{run.field}</Fact>
      <Fact name="Classes" title={names}>
        {run.classes.length === 0
          ? "all"
          : run.classes.length <= 3
            ? names
            : many(run.classes.length, "class", "classes")}
      </Fact>
      {run.model && <Fact name="Lowest confidence">{confidence(run.min_confidence)}</Fact>}
      <Fact name="Images">{count(run.progress.total)}</Fact>
      <Fact name="Labels">{count(run.progress.labels)}</Fact>
      <Fact name="By" title={new Date(run.created_at).toLocaleString()}>
        {run.created_by}, {ago(run.created_at)}
      </Fact>
    </dl>
  );
}

/** The model, or both of two stages, or the field and what its boxes went to. */
function madeBy(run: Run): string {
  if (!run.model) return "none: labels that were there";
  if (run.refiner) return `${run.model} → ${run.refiner}`;
  return run.boxes_field ? `${run.boxes_field} → ${run.model}` : run.model;
}

/** How it was done where that is not the usual way, and what was mended or left out. */
function Told({ run }: { run: Run }) {
  const tally = tallied(run.tally);
  const how = [
    run.task &&
      run.method !== "one_stage" &&
      `${TASK_NAMES[run.task]}, ${METHOD_WORDS[run.method].toLowerCase()}`,
    run.prompts.length > 0 && many(run.prompts.length, "prompt"),
    run.masks && `masks in ${run.masks}`,
  ].filter(Boolean);
  const engine = engineOf(run.note);
  if (how.length + tally.length === 0 && !engine) return null;
  return (
    <div className={classes.note}>
      {how.map((each) => (
        <span key={String(each)} className="cs-truncate">
          {each}
        </span>
      ))}
      {engine && (
        <span className="cs-truncate" title={engine.why}>
          {engine.text}
        </span>
      )}
      {tally.map(({ name, text, why }) => (
        <span key={name} title={why}>
          {text}
        </span>
      ))}
    </div>
  );
}

function Fact({ name, title, children }: { name: string; title?: string; children: ReactNode }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd className="cs-truncate">{children}</dd>
    </div>
  );
}

function Bar({ run, asked, onFailures }: Subject & { asked: "pause" | "cancel" | null }) {
  const { total, done, failed, rate, eta_s, workers } = run.progress;
  const part = (value: number) => (100 * value) / Math.max(1, total);
  const active = run.state === "generating" || run.state === "queued";
  const pace =
    rate >= 1 ? `${rate.toFixed(rate < 10 ? 1 : 0)} images/s` : `${(rate * 60).toFixed(1)} images/min`;
  return (
    <div className={classes.progress}>
      <Progress.Root size={6} aria-label={`Progress of ${run.name}`}>
        <Progress.Section value={part(done)} color={active ? undefined : "gray"} />
        <Progress.Section value={part(failed)} color="red" />
      </Progress.Root>
      <div className={classes.note}>
        <span>
          {count(done + failed)} of {many(total, "image")} · {percent(done + failed, total)}
        </span>
        {asked && <span>{asked === "pause" ? "pauses" : "stops"} when the images at work are done …</span>}
        {active && rate > 0 && <span>{pace}</span>}
        {active && eta_s !== null && <span>{duration(eta_s)} left</span>}
        {active && workers > 0 && <span>{many(workers, "worker")}</span>}
        {active && rate === 0 && <span>{workers > 0 ? "loading the model" : "starting"} …</span>}
        {failed > 0 && <FailedLink run={run} onFailures={onFailures} />}
      </div>
    </div>
  );
}

function FailedLink({ run, onFailures }: Subject) {
  return (
    <button type="button" className={classes.failed} onClick={onFailures}>
      {many(run.progress.failed, "image")} failed: see why
    </button>
  );
}

function Outcome({ run, onFailures }: Subject) {
  const left = run.progress.pending;
  const took =
    run.started_at && run.finished_at && run.model
      ? (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000
      : null;
  return (
    <div className={classes.note}>
      {run.state === "approved" ? (
        <span>
          Approved into{" "}
          <Link
            href={paths.images(
              run.project_id,
              writeView({ query: { ...ALL_IMAGES, field: run.target_field } }),
            )}
            className={classes.labelsLink}
          >
            {run.target_field}
          </Link>
        </span>
      ) : (
        <span>
          {many(run.progress.labels, "proposal")} on {many(run.progress.done, "image")}
        </span>
      )}
      {took !== null && took > 0.5 && run.state === "in_review" && <span>took {duration(took)}</span>}
      {left > 0 && (
        <Tooltip label="The run was taken to review before it had come to them">
          <span>{many(left, "image")} left out</span>
        </Tooltip>
      )}
      {run.progress.failed > 0 && <FailedLink run={run} onFailures={onFailures} />}
    </div>
  );
}

function Rename({ run, onClose }: { run: Run; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(run.name);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await api.patch<Run>(`/runs/${run.id}`, { body: { name: name.trim() } });
      await client.invalidateQueries({ queryKey: keys.runs(run.project_id) });
      void client.invalidateQueries({ queryKey: keys.run(run.id) });
      onClose();
    } catch (error) {
      notifyError("The run was not renamed", error);
    }
  };
  return (
    <Modal opened onClose={onClose} title={`Rename ${run.name}`} size={360}>
      <form onSubmit={save} className={classes.form}>
        <TextInput
          label="Name"
          description={`Its field keeps the name ${run.field}.`}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!name.trim() || name.trim() === run.name}>
            Rename
          </Button>
        </div>
      </form>
    </Modal>
  );
}
