/** What the parts of the editor share. */
import { createContext, use, useCallback, useSyncExternalStore } from "react";
import type { Image, LabelClass } from "~/api";
import type { EditorLabel } from "~/editor/model";
import type { EditorSession } from "~/editor/session";
import type { Controller } from "./controller";

export interface EditorState {
  controller: Controller;
  session: EditorSession;
  projectId: number;
  imageId: number;
  /** Null until it is known. */
  image: Image | null;
  field: string;
  readOnly: boolean;
  labelClasses: readonly LabelClass[];
}

export const EditorContext = createContext<EditorState | null>(null);

export function useEditor(): EditorState {
  const state = use(EditorContext);
  if (!state) throw new Error("this is a part of the editor");
  return state;
}

/** The labels of the open image, as they are now. */
export function useLabels(): readonly EditorLabel[] {
  const { session, imageId, field } = useEditor();
  const { store } = session.document(imageId, field);
  return useSyncExternalStore(
    useCallback((told) => store.observe(told), [store]),
    () => store.all(),
  );
}

/** Whether labels of the open image are there (or still on their way). */
export function useLoaded(): boolean {
  const { session, imageId, field } = useEditor();
  const document = session.document(imageId, field);
  return useSyncExternalStore(
    useCallback((told) => session.onChange(told), [session]),
    () => document.loaded,
  );
}
