/** Give a model of one's own a name: a file or folder of the server's computer, or files that are sent there. */
import { Button, Checkbox, FileButton, Modal, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Upload } from "lucide-react";
import { useState } from "react";
import { api, type CatalogueModel, keys, useSession } from "~/api";
import { notifyDone } from "~/app/notify";
import { outputNames } from "~/models/classes";
import { FolderPicker } from "~/transfer/FolderPicker";
import { many } from "~/ui";
import { DialogForm } from "~/ui/DialogForm";
import { Disclose } from "~/ui/Disclose";
import classes from "./models.module.css";

export function OwnDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const paths = useSession().data?.paths_allowed ?? false;
  const [from, setFrom] = useState<"path" | "upload">(paths ? "path" : "upload");
  const [path, setPath] = useState("");
  const [files, setFiles] = useState<File[]>([]);
  const [said, setSaid] = useState({ name: "", classes: "", licence: "", description: "", reference: "" });
  const [link, setLink] = useState(true);
  const [pickle, setPickle] = useState(false);
  const set = (part: Partial<typeof said>) => setSaid({ ...said, ...part });
  const names = outputNames(said.classes);
  const ready = from === "path" ? path.trim() !== "" : files.length > 0;

  const add = () => {
    const facts = { ...said, name: said.name.trim(), classes: names };
    if (from === "path")
      return api.post<CatalogueModel>("/catalogue/add", {
        body: { ...facts, path: path.trim(), link, allow_pickle: pickle },
      });
    const body = new FormData();
    for (const file of files) body.append("files", file);
    for (const [key, value] of Object.entries(facts))
      body.append(key, Array.isArray(value) ? JSON.stringify(value) : value);
    return api.post<CatalogueModel>("/catalogue/upload", { body });
  };
  const send = async () => {
    const made = await add();
    await client.invalidateQueries({ queryKey: keys.models });
    notifyDone(`The model ${made.name} is here.`);
  };
  return (
    <Modal opened onClose={onClose} title="Add a model of your own" size={560}>
      <DialogForm action="Add" send={send} onClose={onClose} ready={ready}>
        <p className={classes.description}>
          An ONNX file, or a checkpoint of a family that is known here: a folder of transformers, safetensors
          of timm or torchvision.
        </p>
        {paths && (
          <SegmentedControl
            aria-label="Where it is"
            data={[
              { value: "path", label: "On the server's computer" },
              { value: "upload", label: "Send files" },
            ]}
            value={from}
            onChange={(next) => setFrom(next as typeof from)}
          />
        )}
        {from === "path" ? (
          <FolderPicker value={path} onChange={setPath} />
        ) : (
          <div className={classes.files}>
            <FileButton multiple onChange={setFiles}>
              {(props) => (
                <Button {...props} variant="default" leftSection={<Upload size={14} />}>
                  Choose files
                </Button>
              )}
            </FileButton>
            <span className={classes.dim}>
              {files.length === 0
                ? "The model first, then what belongs to it."
                : files.length === 1
                  ? files[0]!.name
                  : `${files[0]!.name} and ${many(files.length - 1, "more", "more")}`}
            </span>
          </div>
        )}
        <TextInput
          label="Name"
          placeholder="That of its file"
          value={said.name}
          maxLength={100}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        <Textarea
          label="Classes"
          description={
            names.length
              ? `${many(names.length, "name")}, in the order of its outputs.`
              : "In the order of its outputs, where the file does not say them: a line each, or one line with commas."
          }
          autosize
          minRows={2}
          maxRows={6}
          value={said.classes}
          onChange={(event) => set({ classes: event.currentTarget.value })}
        />
        <Disclose label="What else its files may not say">
          <TextInput
            label="Architecture"
            description="For a file of weights alone, as family:name."
            placeholder="timm:resnet18"
            value={said.reference}
            onChange={(event) => set({ reference: event.currentTarget.value })}
          />
          <TextInput
            label="Licence"
            placeholder="Apache-2.0"
            value={said.licence}
            onChange={(event) => set({ licence: event.currentTarget.value })}
          />
          <TextInput
            label="Description"
            value={said.description}
            onChange={(event) => set({ description: event.currentTarget.value })}
          />
          {from === "path" && (
            <>
              <Checkbox
                label="Leave the files where they are, instead of copying them"
                checked={link}
                onChange={(event) => setLink(event.currentTarget.checked)}
              />
              <Checkbox
                label="Open it though it is a pickle: it may run any code, so only where you know who made it"
                checked={pickle}
                onChange={(event) => setPickle(event.currentTarget.checked)}
              />
            </>
          )}
        </Disclose>
      </DialogForm>
    </Modal>
  );
}
