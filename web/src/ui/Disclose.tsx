import { Collapse } from "@mantine/core";
import { ChevronDown } from "lucide-react";
import { type ReactNode, useState } from "react";
import classes from "./forms.module.css";

interface Props {
  label: ReactNode;
  /** Open from the beginning. */
  open?: boolean;
  children: ReactNode;
}

/** A line that shows and hides what most need not see. */
export function Disclose({ label, open: first = false, children }: Props) {
  const [open, setOpen] = useState(first);
  return (
    <>
      <DiscloseButton open={open} onClick={() => setOpen(!open)}>
        {label}
      </DiscloseButton>
      <Collapse expanded={open}>
        <div className={classes.form}>{children}</div>
      </Collapse>
    </>
  );
}

interface ButtonProps {
  open: boolean;
  onClick: () => void;
  children: ReactNode;
}

/** The line alone, where other things stand beside it. */
export function DiscloseButton({ open, onClick, children }: ButtonProps) {
  return (
    <button type="button" className={classes.disclose} aria-expanded={open} onClick={onClick}>
      <ChevronDown size={14} />
      {children}
    </button>
  );
}
