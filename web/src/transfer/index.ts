export type { Dropped } from "./dropped";
export { ExportDialog } from "./ExportDialog";
export { ImportDialog } from "./ImportDialog";
export { ImportForm, type ImportSource, useImport } from "./ImportForm";
export { OperationView } from "./OperationView";
export { useFileDrop } from "./useFileDrop";
