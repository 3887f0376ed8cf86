/** What the learning panel is at. */
import { create } from "zustand";
import { NOTHING_WANTED, type Wanted } from "~/models/classes";

interface Learning {
  predicting: boolean;
  /** Images to learn from, by id; null: all that have labels. */
  images: ReadonlySet<number> | null;
  /** What the process that predicts last said of itself, if it is not simply there. */
  worker: { state: "starting" | "ready" | "lost"; message: string } | null;
  /** The end of that process was said already, by the request that it was at. */
  told: boolean;
  /** What a zero-shot model shall look for. */
  words: Wanted;
}

export const useLearning = create<Learning>()(() => ({
  predicting: false,
  images: null,
  worker: null,
  told: false,
  words: NOTHING_WANTED,
}));
