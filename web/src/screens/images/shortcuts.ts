import { defineShortcuts } from "~/app/shortcuts";

export const imagesShortcuts = defineShortcuts("Images", {
  search: { keys: ["/"], label: "Search by name" },
  sidebar: { keys: ["f"], label: "Show or hide the filters" },
  move: { keys: [], label: "Move", shown: "← ↑ → ↓  Home  End  PgUp  PgDn" },
  extend: { keys: [], label: "Extend the selection", shown: "Shift + arrow" },
  toggle: { keys: ["space"], label: "Select or unselect" },
  one: { keys: [], label: "Select", shown: "Click" },
  more: { keys: [], label: "Select one more, or a range", shown: "Ctrl + click, Shift + click" },
  lasso: { keys: [], label: "Select by lasso", shown: "Drag" },
  all: { keys: ["mod+a"], label: "Select all that the filter shows" },
  none: { keys: ["escape"], label: "Clear the selection" },
  open: { keys: ["enter"], label: "Open in the editor" },
  openClick: { keys: [], label: "Open in the editor", shown: "Double click" },
  larger: { keys: ["+", "="], label: "Larger tiles", repeat: true },
  smaller: { keys: ["-"], label: "Smaller tiles", repeat: true },
  tag: { keys: ["t"], label: "Tags of the selected images" },
  split: { keys: ["s"], label: "Split of the selected images" },
  reset: { keys: ["shift+f"], label: "Clear all filters" },
});
