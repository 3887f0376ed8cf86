/** `if (await confirm({ title, body, action: "Delete 12 images", danger: true })) …` The button says what will happen. */
import { Button, Group, Modal, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { create } from "zustand";

interface Question {
  title: string;
  body?: ReactNode;
  /** The word on the button. */
  action: string;
  danger?: boolean;
}

interface Open extends Question {
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

/** Shows the question; mounted once by the app. */
export function Confirmer() {
  const open = useQuestion((state) => state.open);
  return (
    <Modal opened={open !== null} onClose={() => open?.answer(false)} title={open?.title} size={440}>
      {open?.body && (
        <Text component="div" size="sm" c="dimmed" mb="md">
          {open.body}
        </Text>
      )}
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={() => open?.answer(false)}>
          Cancel
        </Button>
        <Button color={open?.danger ? "red" : undefined} onClick={() => open?.answer(true)} data-autofocus>
          {open?.action}
        </Button>
      </Group>
    </Modal>
  );
}
