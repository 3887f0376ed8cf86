import type { ReactNode } from "react";
import classes from "./forms.module.css";

interface Props {
  rows: readonly (readonly [name: string, value: ReactNode])[];
  /** Width of the names, in pixels. */
  names?: number;
}

/** Names with what there is to say of each, a line each; those of which nothing is said are left out. */
export function Facts({ rows, names = 112 }: Props) {
  return (
    <dl className={classes.facts} style={{ "--facts": `${names}px` } as React.CSSProperties}>
      {rows
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
