import { Button, Modal } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { Link } from "wouter";
import { api, type FailurePage, keys, type Run } from "~/api";
import { notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { EmptyState, ErrorState, many } from "~/ui";
import classes from "./runs.module.css";

/** The images that a run could not label, each with the reason. */
export function FailuresDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const pages = useInfiniteQuery({
    queryKey: [...keys.run(run.id), "failures", run.progress.failed],
    queryFn: ({ pageParam, signal }) =>
      api.get<FailurePage>(`/runs/${run.id}/failures`, { params: { after: pageParam, limit: 200 }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });
  const found = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const retry = async () => {
    try {
      await api.post<Run>(`/runs/${run.id}/retry`);
      onClose();
    } catch (error) {
      notifyError("The images were not tried again", error);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={`${many(run.progress.failed, "image")} of ${run.name} failed`}
      size={720}
    >
      <div className={classes.failures}>
        {pages.error && (
          <ErrorState
            title="The list could not be loaded"
            error={pages.error}
            retry={() => void pages.refetch()}
          />
        )}
        {pages.data && found.length === 0 && <EmptyState title="No image has failed" />}
        <ul>
          {found.map((each) => (
            <li key={each.image_id}>
              <Link href={paths.image(run.project_id, each.image_id)} className="cs-truncate">
                {each.name}
              </Link>
              <span>{each.reason}</span>
            </li>
          ))}
        </ul>
        {pages.hasNextPage && (
          <Button
            variant="default"
            fullWidth
            loading={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            Show more
          </Button>
        )}
      </div>
      <div className={classes.buttons}>
        {run.actions.includes("retry") && (
          <Button variant="default" leftSection={<RotateCw size={14} />} onClick={() => void retry()}>
            Try them again
          </Button>
        )}
        <Button onClick={onClose}>Close</Button>
      </div>
    </Modal>
  );
}
