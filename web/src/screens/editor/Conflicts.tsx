import { Button } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { useCallback, useSyncExternalStore } from "react";
import { useLocation, useSearch } from "wouter";
import { paths } from "~/app/routes";
import type { Conflict } from "~/editor/outbox";
import { useEditor } from "./context";
import classes from "./editor.module.css";

/** Changes that stand against what somebody else did: both are said, the user chooses. */
export function Conflicts() {
  const { session, controller, imageId, projectId } = useEditor();
  const [, go] = useLocation();
  const search = useSearch();
  const conflicts = useSyncExternalStore(
    useCallback((told) => session.onChange(told), [session]),
    () => session.allConflicts(),
  );
  const first = conflicts.find((each) => each.imageId === imageId) ?? conflicts[0];
  if (!first) return null;
  const here = first.imageId === imageId;
  const show = () => {
    if (!here) go(paths.image(projectId, first.imageId, search));
    else {
      controller.select([first.key]);
      controller.engine?.reveal(first.key);
    }
  };
  return (
    <div className={classes.conflict} role="alert" data-testid="conflict">
      <TriangleAlert size={16} />
      <span className={classes.grow}>
        {textOf(first)}
        {conflicts.length > 1 && <span className={classes.dim}> ({conflicts.length - 1} more)</span>}
      </span>
      <Button variant="subtle" color="gray" onClick={show}>
        {here ? "Show" : "Open the image"}
      </Button>
      <Button variant="default" onClick={() => session.resolve(first.key, "theirs")}>
        {first.refused
          ? first.theirs
            ? "Take it back"
            : "Discard mine"
          : first.theirs
            ? "Take theirs"
            : "Let it be gone"}
      </Button>
      <Button onClick={() => session.resolve(first.key, "mine")}>
        {first.refused ? "Try again" : first.theirs ? "Keep mine" : "Make it again"}
      </Button>
    </div>
  );
}

function textOf({ mine, theirs, by, refused }: Conflict): string {
  const what = `“${mine.label.className}”`;
  if (refused) return `The label ${what} is not saved. ${refused.what} ${refused.todo}`.trim();
  const who = by || "Somebody else";
  if (!theirs) return `${who} deleted the label ${what} that you changed.`;
  const doing = mine.kind === "delete" ? "deleted" : "changed";
  const now = theirs.class_name === mine.label.className ? "" : ` It is “${theirs.class_name}” now.`;
  return `${who} changed the label ${what} that you ${doing}.${now}`;
}
