import { Loader } from "@mantine/core";
import classes from "./shell.module.css";

/** Something is coming; it shows only when that takes a while. */
export function Loading() {
  return (
    <div className={classes.loading} aria-busy="true">
      <Loader color="gray" aria-label="Loading" />
    </div>
  );
}
