/** What of the smart tool is there before it is loaded: its commands. */
import { notifyError } from "~/app/notify";
import { usePaletteActions } from "~/app/palette-store";
import type { Controller } from "../controller";

/** Turn the selected boxes into masks; one step of the history. */
export function masksFromBoxes(controller: Controller): void {
  import("./mask-from-box").then(
    ({ masksFromSelectedBoxes }) => masksFromSelectedBoxes(controller),
    (error) => notifyError("The smart tool could not be loaded", error),
  );
}

export function useSmartCommands(controller: Controller | null): void {
  usePaletteActions(
    controller
      ? [
          {
            id: "smart-tool",
            label: "Smart tool",
            group: "Editor",
            words: "segment anything sam click mask cut out wand",
            keys: "s",
            run: () => controller.setTool("smart"),
          },
          {
            id: "mask-from-box",
            label: "Masks from the selected boxes",
            group: "Editor",
            words: "smart segment sam convert",
            keys: "shift+s",
            run: () => masksFromBoxes(controller),
          },
        ]
      : [],
  );
}
