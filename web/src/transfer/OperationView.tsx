import { Button, Collapse } from "@mantine/core";
import { ChevronRight, CircleCheck, CircleSlash, Download, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api, type Operation } from "~/api";
import { notifyError } from "~/app/notify";
import { count, many } from "~/ui/format";
import { ProgressRow } from "~/ui/ProgressRow";
import { type ReportLine, reportLines } from "./report";
import classes from "./transfer.module.css";
import { isRunning, useOperation } from "./useOperation";

const STAGES: Record<string, string> = {
  images: "Reading images",
  scan: "Looking for files",
  labels: "Reading labels",
  export: "Writing",
};

/** An import or export: its progress while it runs, then what came of it. */
export function OperationView({
  id,
  actions,
}: {
  id: string;
  actions?: (operation: Operation) => ReactNode;
}) {
  const { data, error } = useOperation(id);
  if (error) return <Outcome tone="danger" title={error.message} />;
  if (!data) return <ProgressRow title="Starting" done={0} total={null} note=" " />;
  if (isRunning(data)) {
    const cancel = () =>
      api.delete(`/operations/${id}`).catch((reason) => notifyError("It could not be cancelled", reason));
    return (
      <div className={classes.operation}>
        <ProgressRow
          title={data.title}
          done={data.done}
          total={data.total}
          note={data.note || STAGES[data.stage] || "Waiting"}
        />
        <div className={classes.buttons}>
          <Button variant="default" onClick={() => void cancel()}>
            Cancel
          </Button>
        </div>
      </div>
    );
  }
  return (
    <div className={classes.operation}>
      <Result operation={data} />
      <div className={classes.buttons}>
        {data.download && (
          <Button component="a" href={data.download} download leftSection={<Download size={14} />}>
            Download
          </Button>
        )}
        {actions?.(data)}
      </div>
    </div>
  );
}

function Result({ operation }: { operation: Operation }) {
  if (operation.state === "cancelled") {
    return <Outcome tone="dim" title="Cancelled" note="What was done by then stays." />;
  }
  if (operation.state === "failed") {
    const problem = operation.problem;
    return <Outcome tone="danger" title={problem?.detail ?? "It failed"} note={problem?.remedy} />;
  }
  const { headline, lines } = reportLines(operation);
  return (
    <>
      <Outcome tone="accent" title={headline} />
      {lines.length > 0 && (
        <ul className={classes.report} aria-label="Report">
          {lines.map((line) => (
            <Line key={`${line.tone} ${line.text}`} line={line} />
          ))}
        </ul>
      )}
    </>
  );
}

function Outcome({ tone, title, note }: { tone: "accent" | "danger" | "dim"; title: string; note?: string }) {
  const Icon = { accent: CircleCheck, danger: TriangleAlert, dim: CircleSlash }[tone];
  return (
    <div className={classes.outcome} role={tone === "danger" ? "alert" : "status"}>
      <Icon size={18} color={`var(--cs-${tone})`} />
      <div>
        <strong>{title}</strong>
        {note && <p>{note}</p>}
      </div>
    </div>
  );
}

function Line({ line }: { line: ReportLine }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <button
        type="button"
        className={classes.reportLine}
        aria-expanded={open}
        disabled={line.examples.length === 0}
        onClick={() => setOpen(!open)}
      >
        <ChevronRight
          size={12}
          className={classes.chevron}
          data-hidden={line.examples.length === 0 || undefined}
        />
        <span className={classes.tone} data-tone={line.tone}>
          {line.tone}
        </span>
        <span className={classes.reportText}>{line.text}</span>
        <span className={classes.reportCount}>{count(line.count)}</span>
      </button>
      <Collapse expanded={open}>
        <ul className={classes.examples}>
          {line.examples.slice(0, 20).map((example) => (
            <li key={example}>{example}</li>
          ))}
          {line.count > Math.min(20, line.examples.length) && (
            <li>and {many(line.count - Math.min(20, line.examples.length), "more", "more")}</li>
          )}
        </ul>
      </Collapse>
    </li>
  );
}
