/** The pieces of the sidebar: a group with a title, a condition with its count. */
import { Check, Minus } from "lucide-react";
import type { ReactNode } from "react";
import { short } from "~/ui/format";
import classes from "./images.module.css";

/** A group of conditions. `counts`: what its numbers count, where that is not images. */
export function Section(props: {
  title: string;
  counts?: string;
  onClear?: () => void;
  children: ReactNode;
}) {
  const { title, counts, onClear, children } = props;
  return (
    <section className={classes.section} aria-label={title}>
      <h2>
        <span>
          {title}
          {counts && <span className={classes.unit}>{counts}</span>}
        </span>
        {onClear && (
          <button type="button" className={classes.clear} onClick={onClear} aria-label={`Clear: ${title}`}>
            Clear
          </button>
        )}
      </h2>
      {children}
    </section>
  );
}

export function Facet(props: {
  name: string;
  count: number;
  checked: boolean;
  out?: boolean;
  icon?: ReactNode;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={props.out ? "mixed" : props.checked}
      aria-label={`${props.out ? "not " : ""}${props.name}, ${props.count}`}
      data-out={props.out || undefined}
      data-empty={props.count === 0 || undefined}
      className={classes.facet}
      onClick={props.onClick}
    >
      <span className={classes.box} aria-hidden>
        {props.out ? <Minus size={10} strokeWidth={4} /> : <Check size={10} strokeWidth={4} />}
      </span>
      {props.icon}
      <span className={classes.facetName} title={props.name}>
        {props.name}
      </span>
      <span className={classes.facetCount}>{short(props.count)}</span>
    </button>
  );
}

export function flip<T>(list: readonly T[], item: T): T[] {
  return list.includes(item) ? list.filter((each) => each !== item) : [...list, item];
}

/** What is chosen is listed, also when no image has it any more. */
export function withChosen(items: readonly { name: string; count: number }[], chosen: readonly string[]) {
  const missing = chosen.filter((name) => !items.some((each) => each.name === name));
  return [...items, ...missing.map((name) => ({ name, count: 0 }))];
}
