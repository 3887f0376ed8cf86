import { defineShortcuts } from "~/app/shortcuts";

export const reviewShortcuts = defineShortcuts("Review", {
  accept: { keys: ["a"], label: "Accept" },
  reject: { keys: ["r"], label: "Reject" },
});
