import { type DragEvent, useState } from "react";
import { type Dropped, droppedFiles } from "./dropped";

/**
 * Files may be dropped anywhere on an element. `over`: they hang above it now. A part of it that takes files itself goes
 * first; a dialog has places of its own.
 */
export function useFileDrop(onDrop: (files: Dropped[]) => void, enabled = true) {
  const [over, setOver] = useState(false);
  const isFiles = (event: DragEvent) => enabled && event.dataTransfer.types.includes("Files");
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (event.isDefaultPrevented()) return setOver(false);
      if (!isFiles(event)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent<HTMLElement>) => {
      const to = event.relatedTarget;
      if (!(to instanceof Node) || !event.currentTarget.contains(to)) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      setOver(false);
      if (event.isDefaultPrevented() || !isFiles(event)) return;
      event.preventDefault();
      void droppedFiles(event.dataTransfer).then((files) => files.length && onDrop(files));
    },
  };
  return { over: over && enabled, handlers };
}
