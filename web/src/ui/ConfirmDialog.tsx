import { Button, Group, Modal, Text } from "@mantine/core";
import type { Open } from "./confirm";

/** The question of `confirm`. */
export function ConfirmDialog({ question: open }: { question: Open | null }) {
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
