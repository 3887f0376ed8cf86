import { Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, keys, type Run } from "~/api";
import { DialogForm } from "~/ui/DialogForm";

/** Another name for a run; its field keeps its own. */
export function RenameRun({ run, onClose }: { run: Run; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(run.name);
  const save = async () => {
    await api.patch<Run>(`/runs/${run.id}`, { body: { name: name.trim() } });
    await client.invalidateQueries({ queryKey: keys.runs(run.project_id) });
    void client.invalidateQueries({ queryKey: keys.run(run.id) });
  };
  return (
    <Modal opened onClose={onClose} title={`Rename ${run.name}`} size={360}>
      <DialogForm
        action="Rename"
        send={save}
        onClose={onClose}
        ready={name.trim() !== "" && name.trim() !== run.name}
      >
        <TextInput
          label="Name"
          description={`Its field keeps the name ${run.field}.`}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
      </DialogForm>
    </Modal>
  );
}
