/** The review of a run: which of its proposals are right. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, Hourglass } from "lucide-react";
import { Link } from "wouter";
import { api, keys, type Run } from "~/api";
import { paths } from "~/app/routes";
import { EmptyState, ErrorState, StateBadge } from "~/ui";
import { Review } from "./Review";
import classes from "./review.module.css";

export default function ReviewScreen({ projectId, runId }: { projectId: number; runId: number }) {
  const { data, error, refetch } = useQuery({
    queryKey: keys.run(runId),
    queryFn: ({ signal }) => api.get<Run>(`/runs/${runId}`, { signal }),
    staleTime: 0,
  });
  const back = (
    <Button
      component={Link}
      href={paths.runs(projectId)}
      variant="default"
      leftSection={<ArrowLeft size={14} />}
    >
      All runs
    </Button>
  );
  if (data && (data.state === "in_review" || data.state === "approved"))
    return <Review run={data} key={runId} />;
  if (data) {
    return (
      <div className={classes.whole}>
        <EmptyState
          icon={<Hourglass size={28} />}
          title={`${data.name} cannot be reviewed yet`}
          actions={back}
        >
          It is <StateBadge state={data.state} />. Its review begins when it has finished; on the page of runs
          you can also skip to the review with what there is.
        </EmptyState>
      </div>
    );
  }
  if (error) {
    return (
      <div className={classes.whole}>
        <ErrorState
          title="The run could not be loaded"
          error={error}
          retry={() => void refetch()}
          actions={back}
        />
      </div>
    );
  }
  return <div className={classes.whole} aria-busy="true" />;
}
