import classes from "./ui.module.css";

const TONES: Record<string, string> = {
  verified: "verified",
  approved: "verified",
  done: "verified",
  ready: "verified",
  proposed: "proposed",
  paused: "proposed",
  missing: "danger",
  error: "danger",
  failed: "danger",
  lost: "danger",
  promoted: "promoted",
  in_review: "promoted",
  generating: "accent",
  running: "accent",
  training: "accent",
  queued: "rejected",
  rejected: "rejected",
  cancelled: "rejected",
};

const WORDS: Record<string, string> = { in_review: "in review" };

/** The state of a label, run, training or operation, as a dot and a word. */
export function StateBadge({ state }: { state: string }) {
  const tone = TONES[state] ?? "rejected";
  return (
    <span className={classes.state} style={{ color: `var(--cs-${tone})` }}>
      <span className={classes.stateDot} aria-hidden />
      {WORDS[state] ?? state}
    </span>
  );
}
