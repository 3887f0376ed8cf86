import { Button } from "@mantine/core";
import { Check, Tag, Undo2, X } from "lucide-react";
import { count, KeyHint, many } from "~/ui";
import type { Verdict } from "./desk";
import type { Pile, Tab } from "./filter";
import classes from "./review.module.css";

interface Props {
  open: boolean;
  tab: Tab;
  pile: Pile;
  /** Labels that are picked. */
  picked: number;
  /** Tiles that were decided and are still there. */
  decided: number;
  undoable: boolean;
  onVerdict: (verdict: Verdict) => void;
  onRelabel: () => void;
  onUndo: () => void;
  onTidy: () => void;
  onNone: () => void;
}

/** What may be done with what is picked. It is always there, so that nothing moves. */
export function Bar(props: Props) {
  const { open, tab, pile, picked, decided } = props;
  if (!open) {
    return (
      <div className={classes.bar}>
        <span className={classes.quiet}>This run is closed: it can be looked at, but no longer changed.</span>
      </div>
    );
  }
  const none = picked === 0;
  const promoted = tab === "approval";
  return (
    <div className={classes.bar} role="toolbar" aria-label="Decide">
      <span className={classes.pickedCount}>
        {none ? (
          <>
            <span className={classes.quiet} data-for="mouse">
              Click, drag or use the arrows to pick
            </span>
            <span className={classes.quiet} data-for="touch">
              Tap to pick, hold to pick more
            </span>
          </>
        ) : (
          <>
            <b>{count(picked)}</b> picked
            <button type="button" className={classes.clear} onClick={props.onNone} aria-label="Pick none">
              <X size={12} />
            </button>
          </>
        )}
      </span>
      {!promoted && (
        <Button
          variant="light"
          disabled={none}
          leftSection={<Check size={14} />}
          rightSection={<KeyHint keys="a" />}
          onClick={() => props.onVerdict({ kind: "promote" })}
        >
          Accept
        </Button>
      )}
      {(promoted || pile === "rejected") && (
        <Button
          variant="default"
          disabled={none}
          leftSection={<Undo2 size={14} />}
          rightSection={<KeyHint keys="u" />}
          onClick={() => props.onVerdict({ kind: "reopen" })}
        >
          Back to the proposals
        </Button>
      )}
      {pile !== "rejected" || promoted ? (
        <Button
          variant="light"
          color="red"
          disabled={none}
          leftSection={<X size={14} />}
          rightSection={<KeyHint keys="r" />}
          onClick={() => props.onVerdict({ kind: "reject" })}
        >
          Reject
        </Button>
      ) : null}
      <Button
        variant="default"
        disabled={none}
        leftSection={<Tag size={14} />}
        rightSection={<KeyHint keys="c" />}
        onClick={props.onRelabel}
      >
        Class
      </Button>
      <div className={classes.spacer} />
      <Button
        variant="subtle"
        color="gray"
        disabled={decided === 0}
        rightSection={<KeyHint keys="h" />}
        onClick={props.onTidy}
      >
        {decided > 0 ? `Hide ${many(decided, "decided tile")}` : "Hide decided tiles"}
      </Button>
      <Button
        variant="subtle"
        color="gray"
        disabled={!props.undoable}
        leftSection={<Undo2 size={14} />}
        rightSection={<KeyHint keys="mod+z" />}
        onClick={props.onUndo}
      >
        Undo
      </Button>
    </div>
  );
}
