import { Button, Tabs } from "@mantine/core";
import { ArrowLeft, CircleCheck } from "lucide-react";
import { Link } from "wouter";
import type { ReviewSummary, Run } from "~/api";
import { ALL_IMAGES } from "~/api/image-query";
import { paths } from "~/app/routes";
import { writeView as writeImagesView } from "~/app/view";
import { count, many, StateBadge } from "~/ui";
import type { ReviewView, Tab } from "./filter";
import classes from "./head.module.css";

interface Props {
  run: Run;
  view: ReviewView;
  onView: (change: Partial<ReviewView>) => void;
  summary: ReviewSummary | null;
  onApprove: () => void;
}

export const stateCount = (summary: ReviewSummary | null, state: string) =>
  summary?.states.find((each) => each.name === state)?.count ?? 0;

/** Which run, how far its review is, and the two tabs. */
export function Head({ run, view, onView, summary, onApprove }: Props) {
  const promoted = stateCount(summary, "promoted");
  const rejected = stateCount(summary, "rejected");
  const proposed = stateCount(summary, "proposed");
  const all = promoted + rejected + proposed;
  return (
    <header className={classes.head}>
      <Link href={paths.runs(run.project_id)} className={classes.back} aria-label="All runs" title="All runs">
        <ArrowLeft size={16} />
      </Link>
      <h1 className="cs-truncate" title={run.name}>
        {run.name}
      </h1>
      <StateBadge state={run.state} />
      <Tabs
        value={view.tab}
        onChange={(tab) => onView({ tab: tab as Tab, className: null })}
        className={classes.tabs}
      >
        <Tabs.List>
          <Tabs.Tab value="review">
            Review <span className={classes.number}>{summary ? count(proposed) : ""}</span>
          </Tabs.Tab>
          <Tabs.Tab value="approval">
            Approval <span className={classes.number}>{summary ? count(promoted) : ""}</span>
          </Tabs.Tab>
        </Tabs.List>
      </Tabs>
      <div className={classes.share} aria-hidden={!summary}>
        <div className={classes.shareBar}>
          <span
            style={{ width: `${(100 * promoted) / Math.max(1, all)}%`, background: "var(--cs-promoted)" }}
          />
          <span
            style={{ width: `${(100 * rejected) / Math.max(1, all)}%`, background: "var(--cs-rejected)" }}
          />
        </div>
        {summary && (
          <span>
            {count(promoted)} {run.state === "approved" ? "approved" : "promoted"} · {count(rejected)}{" "}
            rejected {run.state !== "approved" && `· ${count(proposed)} open`}
          </span>
        )}
      </div>
      {run.state === "approved" && promoted === 0 ? null : run.state === "approved" ? (
        <Button
          component={Link}
          href={paths.images(
            run.project_id,
            writeImagesView({ query: { ...ALL_IMAGES, field: run.target_field } }),
          )}
          variant="default"
          leftSection={<CircleCheck size={14} color="var(--cs-verified)" />}
        >
          In {run.target_field}
        </Button>
      ) : (
        <Button
          onClick={onApprove}
          disabled={!summary}
          variant={view.tab === "approval" && promoted > 0 ? "filled" : "default"}
          className={classes.approve}
        >
          {promoted > 0 ? `Approve ${many(promoted, "label")} …` : "Approve …"}
        </Button>
      )}
    </header>
  );
}
