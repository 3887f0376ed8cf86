import { defineShortcuts } from "~/app/shortcuts";

export const runsShortcuts = defineShortcuts("Runs", {
  start: { keys: ["n"], label: "Auto label: a new run" },
});
