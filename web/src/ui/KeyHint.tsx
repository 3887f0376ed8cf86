import { showKeys } from "~/app/keys";
import classes from "./ui.module.css";

/** A key combination, as in `mod+k`. */
export function KeyHint({ keys }: { keys: string }) {
  return (
    <span className={classes.keys}>
      {showKeys(keys).map((key, i) =>
        key === "then" ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
          <span key={i}>then</span>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
          <kbd key={i}>{key}</kbd>
        ),
      )}
    </span>
  );
}
