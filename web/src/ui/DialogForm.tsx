import { Button } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { tell } from "~/api";
import classes from "./forms.module.css";

interface Props {
  /** What the button does: "Add". */
  action: string;
  /** Throws where it fails; what it throws is said beside the buttons. */
  send: () => Promise<unknown>;
  onClose: () => void;
  ready: boolean;
  /** Said beside the buttons as long as nothing is wrong: what is lacking. */
  note?: string;
  /** Wrong from the beginning. */
  problem?: string;
  children: ReactNode;
}

/** The inside of a dialog that sends something: its fields, and a foot that stays in sight with what went wrong. */
export function DialogForm({ action, send, onClose, ready, note, problem: first = "", children }: Props) {
  const [problem, setProblem] = useState(first);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation(); // a dialog above another's form is inside of that form for React
    if (!ready || busy) return;
    setBusy(true);
    setProblem("");
    try {
      await send();
      onClose();
    } catch (error) {
      const { what, todo } = tell(error);
      setProblem(`${what} ${todo}`.trim());
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} className={classes.form}>
      {children}
      <div className={classes.foot} data-said={problem || note || undefined}>
        {problem ? <p role="alert">{problem}</p> : <p aria-live="polite">{note}</p>}
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={busy} disabled={!ready}>
          {action}
        </Button>
      </div>
    </form>
  );
}
