/** `if (await confirm({ title, body, action: "Delete 12 images", danger: true })) …` The button says what will happen. */
import type { ReactNode } from "react";
import { create } from "zustand";
import { later } from "./later";

interface Question {
  title: string;
  body?: ReactNode;
  /** The word on the button. */
  action: string;
  danger?: boolean;
}

export interface Open extends Question {
  answer: (yes: boolean) => void;
}

const useQuestion = create<{ open: Open | null }>()(() => ({ open: null }));

export function confirm(question: Question): Promise<boolean> {
  useQuestion.getState().open?.answer(false);
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      useQuestion.setState({ open: null });
      resolve(yes);
    };
    useQuestion.setState({ open: { ...question, answer } });
  });
}

const Dialog = later(
  async () => (await import("./ConfirmDialog")).ConfirmDialog,
  ({ question }) => question !== null,
);

/** Shows the question; mounted once by the app. */
export function Confirmer() {
  return <Dialog question={useQuestion((state) => state.open)} />;
}
