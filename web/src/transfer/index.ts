/** Files in and out, for screens: the dialogs are loaded when they are first opened. */
import { later } from "~/ui/later";

export type { Dropped } from "./dropped";
export { useFileDrop } from "./useFileDrop";

export const ExportDialog = later(
  async () => (await import("./ExportDialog")).ExportDialog,
  ({ opened }) => opened,
);

export const ImportDialog = later(
  async () => (await import("./ImportDialog")).ImportDialog,
  ({ opened }) => opened,
);
