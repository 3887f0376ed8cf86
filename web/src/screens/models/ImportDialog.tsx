import { Button, Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, keys, type Model, tell } from "~/api";
import { notifyDone } from "~/app/notify";
import classes from "./models.module.css";

interface Props {
  /** A file of the user's whose own name is taken here; without it: a path of the server's computer. */
  file?: File;
  onClose: () => void;
}

/** Bring in a model under a name of one's choice. */
export function ImportDialog({ file, onClose }: Props) {
  const client = useQueryClient();
  const [path, setPath] = useState("");
  const [name, setName] = useState("");
  const [problem, setProblem] = useState(file ? "There is a model of the name in this file already." : "");
  const [busy, setBusy] = useState(false);
  const send = () =>
    file
      ? api.post<Model>("/models/upload", { body: form(file, name.trim()) })
      : api.post<Model>("/models/import", { body: { path: path.trim(), name: name.trim() } });
  const bring = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const model = await send();
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
    <Modal
      opened
      onClose={onClose}
      title={file ? `Import ${file.name}` : "Import a model from a path"}
      size={480}
    >
      <form onSubmit={bring} className={classes.form}>
        {!file && (
          <TextInput
            label="Path"
            description="A file that an export made, or a model's folder, on the computer of the server."
            value={path}
            onChange={(event) => setPath(event.currentTarget.value)}
            error={problem || undefined}
            data-autofocus
          />
        )}
        <TextInput
          label="Name"
          placeholder={file ? "Another name" : "Its own"}
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
          error={file ? problem || undefined : undefined}
          data-autofocus={file ? true : undefined}
        />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={file ? !name.trim() : !path.trim()}>
            Import
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** A model's file as the body of an upload. */
export function form(file: File, name = ""): FormData {
  const body = new FormData();
  body.append("file", file);
  body.append("name", name);
  return body;
}
