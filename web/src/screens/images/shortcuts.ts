import { defineShortcuts } from "~/app/shortcuts";

export const imagesShortcuts = defineShortcuts("Images", {
  search: { keys: ["/"], label: "Search by name" },
  all: { keys: ["mod+a"], label: "Select all that the filter shows" },
  none: { keys: ["escape"], label: "Clear the selection" },
  open: { keys: ["enter"], label: "Open in the editor" },
});
