import { Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, keys, type Model } from "~/api";
import { notifyDone } from "~/app/notify";
import { DialogForm } from "~/ui/DialogForm";

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
  const bring = () =>
    file
      ? api.post<Model>("/models/upload", { body: form(file, name.trim()) })
      : api.post<Model>("/models/import", { body: { path: path.trim(), name: name.trim() } });
  const send = async () => {
    const model = await bring();
    await client.invalidateQueries({ queryKey: keys.models });
    notifyDone(`The model ${model.name} is here.`);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={file ? `Import ${file.name}` : "Import a model from a path"}
      size={480}
    >
      <DialogForm
        action="Import"
        send={send}
        onClose={onClose}
        ready={(file ? name : path).trim() !== ""}
        problem={file ? "There is a model of the name in this file already." : undefined}
      >
        {!file && (
          <TextInput
            label="Path"
            description="A file that an export made, or a model's folder, on the computer of the server."
            value={path}
            onChange={(event) => setPath(event.currentTarget.value)}
            data-autofocus
          />
        )}
        <TextInput
          label="Name"
          placeholder={file ? "Another name" : "Its own"}
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus={file ? true : undefined}
        />
      </DialogForm>
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
