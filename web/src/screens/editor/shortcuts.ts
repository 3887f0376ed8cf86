import { defineShortcuts } from "~/app/shortcuts";

export const editorShortcuts = defineShortcuts("Editor", {
  next: { keys: ["right"], label: "Next image", repeat: true },
  previous: { keys: ["left"], label: "Previous image", repeat: true },
});
