import type { ReactNode } from "react";
import classes from "./ui.module.css";

interface Props {
  icon?: ReactNode;
  title: string;
  /** What to do next, in one or two sentences. */
  children?: ReactNode;
  /** Buttons. */
  actions?: ReactNode;
}

/** What is shown where there is nothing yet: why, and what to do next. */
export function EmptyState({ icon, title, children, actions }: Props) {
  return (
    <div className={classes.empty}>
      {icon && <div className={classes.emptyIcon}>{icon}</div>}
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {actions && <div className={classes.emptyActions}>{actions}</div>}
    </div>
  );
}
