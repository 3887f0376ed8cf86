import { Button, ColorInput, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, keys, type LabelClass, tell } from "~/api";
import { useEditor } from "./context";
import { setUi } from "./ui";

interface Props {
  /** Null: a new one. */
  edited: LabelClass | null;
  close: () => void;
}

/** Name, colour, and for keypoints their names and the bones between. */
export function ClassEditor({ edited, close }: Props) {
  const { projectId, labelClasses } = useEditor();
  const client = useQueryClient();
  const [name, setName] = useState(edited?.name ?? "");
  const [color, setColor] = useState(edited?.color ?? "");
  const [points, setPoints] = useState((edited?.keypoint_names ?? []).join("\n"));
  const [bones, setBones] = useState(bonesText(edited));
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const names = points
    .split("\n")
    .map((each) => each.trim())
    .filter(Boolean);
  const skeleton = readBones(bones, names);
  const taken = labelClasses.some((each) => each.name === name.trim() && each.id !== edited?.id);

  const save = () =>
    attempt(async () => {
      const body = { name: name.trim(), color, keypoint_names: names, skeleton: skeleton ?? [] };
      if (edited) {
        await api.patch(`/classes/${edited.id}`, { body: { ...body, color: color || undefined } });
        return;
      }
      const made = await api.post<LabelClass>(`/projects/${projectId}/classes`, { body });
      setUi({ activeClass: made.name });
    });
  /** Do it, then close; what went wrong is said here. */
  const attempt = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem("");
    try {
      await work();
      await client.invalidateQueries({ queryKey: keys.classes(projectId) });
      close();
    } catch (error) {
      const { what, todo } = tell(error);
      setProblem(`${what} ${todo}`.trim());
      setBusy(false);
    }
  };
  const remove = () => attempt(() => api.delete(`/classes/${edited!.id}`));
  return (
    <Modal opened onClose={close} title={edited ? `Class “${edited.name}”` : "New class"} size="sm">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Stack gap={12}>
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={taken ? "There is a class of this name." : undefined}
            data-autofocus
            maxLength={200}
          />
          <ColorInput
            label="Colour"
            size="xs"
            value={color}
            onChange={setColor}
            placeholder="The next of the palette"
          />
          <Textarea
            label="Keypoints"
            description="One name in a line, in their order. None: this class has no keypoints."
            value={points}
            onChange={(event) => setPoints(event.currentTarget.value)}
            autosize
            minRows={2}
            maxRows={8}
          />
          <TextInput
            label="Skeleton"
            description="Which of them are joined, by number: 1-2, 2-3"
            value={bones}
            onChange={(event) => setBones(event.currentTarget.value)}
            error={skeleton ? undefined : `Pairs of numbers from 1 to ${names.length}, as in 1-2, 2-3`}
            disabled={names.length < 2}
          />
          {problem && <span style={{ color: "var(--cs-danger)" }}>{problem}</span>}
          <Group justify="flex-end" gap={8}>
            {edited && (
              <Button
                variant="subtle"
                color="red"
                c="var(--cs-danger)"
                mr="auto"
                disabled={busy}
                onClick={() => void remove()}
              >
                Delete
              </Button>
            )}
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={busy} disabled={!name.trim() || taken || !skeleton}>
              {edited ? "Save" : "Add class"}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function bonesText(edited: LabelClass | null): string {
  return (edited?.skeleton ?? []).map(([a, b]) => `${a + 1}-${b + 1}`).join(", ");
}

/** Pairs counted from 0; null for what is none. */
function readBones(text: string, names: readonly string[]): [number, number][] | null {
  if (!text.trim() || names.length < 2) return [];
  const pairs: [number, number][] = [];
  for (const part of text.split(/[,;\s]+/).filter(Boolean)) {
    const found = /^(\d+)-(\d+)$/.exec(part);
    const [a, b] = [Number(found?.[1]), Number(found?.[2])];
    if (!found || a < 1 || b < 1 || a > names.length || b > names.length) return null;
    pairs.push([a - 1, b - 1]);
  }
  return pairs;
}
