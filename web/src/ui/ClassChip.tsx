import classes from "./ui.module.css";

/** The colour of a class. */
export function ClassDot({ color, size = 10 }: { color: string; size?: number }) {
  return (
    <span className={classes.dot} style={{ background: color, width: size, height: size }} aria-hidden />
  );
}

/** A class with its colour. */
export function ClassChip({ name, color }: { name: string; color: string }) {
  return (
    <span className={classes.chip} title={name}>
      <ClassDot color={color} />
      <span className="cs-truncate">{name}</span>
    </span>
  );
}
