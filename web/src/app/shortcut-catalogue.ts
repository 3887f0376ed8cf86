/** Every scope of shortcuts, for the `?` sheet. A screen keeps its own in `screens/<name>/shortcuts.ts` (data only). */
import { editorShortcuts } from "~/screens/editor/shortcuts";
import { imagesShortcuts } from "~/screens/images/shortcuts";
import { reviewShortcuts } from "~/screens/review/shortcuts";
import { runsShortcuts } from "~/screens/runs/shortcuts";
import { defineShortcuts, type Scope } from "./shortcuts";

export const globalShortcuts = defineShortcuts("Everywhere", {
  palette: { keys: ["mod+k"], label: "Command palette", inFields: true },
  sheet: { keys: ["?"], label: "This sheet" },
  projects: { keys: ["g p"], label: "Go to the projects" },
  images: { keys: ["g i"], label: "Go to the images" },
  runs: { keys: ["g r"], label: "Go to the runs" },
  models: { keys: ["g m"], label: "Go to the models" },
  scheme: { keys: ["mod+shift+l"], label: "Dark or light" },
});

export const catalogue: readonly Scope[] = [
  globalShortcuts,
  imagesShortcuts,
  editorShortcuts,
  runsShortcuts,
  reviewShortcuts,
];
