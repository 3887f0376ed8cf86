/** What the command palette offers: actions that screens add while they are there. */
import { useEffect, useRef } from "react";
import { create } from "zustand";

export interface PaletteAction {
  id: string;
  label: string;
  /** Heading that it stands under. */
  group: string;
  /** Other words by which it is found. */
  words?: string;
  /** Its shortcut, to be shown. */
  keys?: string;
  run: () => void;
}

interface PaletteState {
  open: boolean;
  sources: ReadonlyMap<symbol, () => readonly PaletteAction[]>;
  setOpen(open: boolean): void;
}

export const usePalette = create<PaletteState>()((set) => ({
  open: false,
  sources: new Map(),
  setOpen: (open) => set({ open }),
}));

/** Offer actions in the palette while the component is there. They are read when it opens. */
export function usePaletteActions(actions: readonly PaletteAction[]): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const id = Symbol();
    const change = (edit: (sources: Map<symbol, () => readonly PaletteAction[]>) => void) =>
      usePalette.setState(({ sources }) => {
        const next = new Map(sources);
        edit(next);
        return { sources: next };
      });
    change((sources) => sources.set(id, () => latest.current));
    return () => change((sources) => sources.delete(id));
  }, []);
}

/** How well words fit: every word must occur; the beginning of a word counts more. 0: not at all. */
export function score(action: Pick<PaletteAction, "label" | "group" | "words">, query: string): number {
  const text = `${action.label} ${action.words ?? ""} ${action.group}`.toLowerCase();
  let sum = 1;
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = text.indexOf(word);
    if (at < 0) return 0;
    sum += at === 0 ? 4 : text[at - 1] === " " ? 2 : 1;
  }
  return sum;
}
