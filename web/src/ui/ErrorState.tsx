import { Button } from "@mantine/core";
import { RotateCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { tell } from "~/api/errors";
import { EmptyState } from "./EmptyState";

interface Props {
  /** What did not work: "The runs could not be loaded". */
  title: string;
  error: unknown;
  retry?: () => void;
  actions?: ReactNode;
}

/** An error in the place of what it prevented: what happened, what to do, and another try. */
export function ErrorState({ title, error, retry, actions }: Props) {
  const { what, todo } = tell(error);
  return (
    <div role="alert" style={{ width: "100%" }}>
      <EmptyState
        icon={<TriangleAlert size={28} color="var(--cs-danger)" />}
        title={title}
        actions={
          <>
            {retry && (
              <Button variant="default" leftSection={<RotateCw size={14} />} onClick={retry}>
                Try again
              </Button>
            )}
            {actions}
          </>
        }
      >
        {what} {todo}
      </EmptyState>
    </div>
  );
}
