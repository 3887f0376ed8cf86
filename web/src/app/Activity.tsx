import { ActionIcon, Button, Indicator, Popover } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Activity as ActivityIcon, Download, X } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import {
  api,
  keys,
  type Operation,
  type Run,
  type Training,
  useOperations,
  useRuns,
  useTrainings,
} from "~/api";
import { bytes, duration } from "~/ui/format";
import { ProgressRow } from "~/ui/ProgressRow";
import { StateBadge } from "~/ui/StateBadge";
import { notifyError } from "./notify";
import { paths } from "./routes";
import classes from "./shell.module.css";

const isBusy = (state: string) => ["queued", "running", "generating", "training"].includes(state);

/** What is at work in a project (imports, exports, runs, trainings) and for all of them (downloads of models). */
export function Activity({ project }: { project: number }) {
  const [open, setOpen] = useState(false);
  const shared = useOperations(null).data ?? [];
  const operations = [...(useOperations(project).data ?? []), ...shared].toSorted((a, b) =>
    a.created_at < b.created_at ? 1 : -1,
  );
  const runs = (useRuns(project).data ?? []).filter((run) => isBusy(run.state) || run.state === "paused");
  const trainings = (useTrainings(project).data ?? []).filter((each) => isBusy(each.state));
  const busy = operations.filter((each) => isBusy(each.state)).length + runs.length + trainings.length;
  const rows = operations.length + runs.length + trainings.length;
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={380} shadow="md" trapFocus>
      <Indicator
        disabled={busy === 0}
        label={busy}
        size={14}
        offset={4}
        styles={{ indicator: { fontSize: 10 } }}
      >
        <Popover.Target>
          <ActionIcon
            aria-label={busy ? `Activity: ${busy} at work` : "Activity"}
            onClick={() => setOpen(!open)}
          >
            <ActivityIcon size={16} />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown p={0}>
        <div className={classes.activity}>
          {trainings.map((each) => (
            <TrainingRow key={each.id} training={each} />
          ))}
          {runs.map((run) => (
            <RunRow key={run.id} run={run} close={() => setOpen(false)} />
          ))}
          {operations.slice(0, 12).map((each) => (
            <OperationRow key={each.id} operation={each} />
          ))}
          {rows === 0 && (
            <p className={classes.quiet}>
              Nothing is at work. Imports, exports, runs, trainings and downloads of models show up here.
            </p>
          )}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

function TrainingRow({ training }: { training: Training }) {
  const progress = training.progress;
  return (
    <ProgressRow
      title={`Training ${training.name}`}
      done={Math.round(100 * (progress?.done ?? 0))}
      total={progress ? 100 : null}
      note={
        progress?.left_s
          ? `epoch ${progress.epoch} of ${progress.epochs} · ${duration(progress.left_s)} left`
          : training.state
      }
    />
  );
}

function RunRow({ run, close }: { run: Run; close: () => void }) {
  return (
    <Link href={paths.runs(run.project_id)} onClick={close} className={classes.activityLink}>
      <ProgressRow
        title={`Run ${run.name}`}
        done={run.progress.done + run.progress.failed}
        total={run.progress.total}
        note={run.progress.eta_s ? `${run.state} · ${duration(run.progress.eta_s)} left` : run.state}
      />
    </Link>
  );
}

function OperationRow({ operation }: { operation: Operation }) {
  const client = useQueryClient();
  const cancel = async () => {
    try {
      await api.delete(`/operations/${operation.id}`);
      await client.invalidateQueries({ queryKey: keys.operations(operation.project_id) });
    } catch (error) {
      notifyError("It could not be cancelled", error);
    }
  };
  if (isBusy(operation.state)) {
    return (
      <ProgressRow
        title={operation.title}
        done={operation.done}
        total={operation.total}
        note={operation.note || operation.stage}
        say={operation.kind === "pull" ? bytes : undefined}
        actions={
          <ActionIcon size={20} aria-label={`Cancel: ${operation.title}`} onClick={cancel}>
            <X size={14} />
          </ActionIcon>
        }
      />
    );
  }
  return (
    <div className={classes.operation}>
      <span className="cs-truncate" title={operation.problem?.detail ?? operation.title}>
        {operation.title}
      </span>
      {operation.download && (
        <Button
          component="a"
          href={operation.download}
          download
          variant="default"
          size="compact-xs"
          leftSection={<Download size={12} />}
        >
          Download
        </Button>
      )}
      <StateBadge state={operation.state} />
    </div>
  );
}
