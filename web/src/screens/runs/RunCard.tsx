import { ActionIcon, Button, Menu } from "@mantine/core";
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
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { api, keys, type Run } from "~/api";
import { notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { TASK_NAMES } from "~/models/catalogue";
import { ago, confidence, confirm, count, many, StateBadge } from "~/ui";
import { engineOf, METHOD_WORDS, tallied } from "./plan";
import { RenameRun } from "./RenameRun";
import { RunBar, RunOutcome } from "./RunProgress";
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
        <RunBar run={run} asked={asked} onFailures={onFailures} />
      )}
      {(run.state === "approved" || run.state === "in_review") && (
        <RunOutcome run={run} onFailures={onFailures} />
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
      {naming && <RenameRun run={run} onClose={() => setNaming(false)} />}
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
