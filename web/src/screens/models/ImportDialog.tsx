import { Button, Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, keys, type Model, tell } from "~/api";
import { notifyDone } from "~/app/notify";
import classes from "./models.module.css";

/** Bring in a model from a file or folder of the server's computer. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [path, setPath] = useState("");
  const [name, setName] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const bring = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const model = await api.post<Model>("/models/import", {
        body: { path: path.trim(), name: name.trim() },
      });
      await client.invalidateQueries({ queryKey: keys.models });
      notifyDone(`The model ${model.name} is here.`);
      onClose();
    } catch (error) {
      const { what, todo } = tell(error);
      setProblem(`${what} ${todo}`.trim());
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title="Import a model from a path" size={480}>
      <form onSubmit={bring} className={classes.form}>
        <TextInput
          label="Path"
          description="A file that an export made, or a model's folder, on the computer of the server."
          value={path}
          onChange={(event) => setPath(event.currentTarget.value)}
          error={problem || undefined}
          data-autofocus
        />
        <TextInput
          label="Name"
          placeholder="Its own"
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={!path.trim()}>
            Import
          </Button>
        </div>
      </form>
    </Modal>
  );
}
