import {
  Button,
  Checkbox,
  JsonInput,
  Modal,
  MultiSelect,
  PasswordInput,
  Select,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, keys, type RemoteModel, tell } from "~/api";
import { notifyDone } from "~/app/notify";
import { TASK_NAMES, type Task } from "~/models/catalogue";
import { CONTRACTS, formOf, NEW_REMOTE, type RemoteForm, specOf } from "~/models/remote";
import classes from "./models.module.css";

interface Props {
  /** The one to change; without it a new one is made. */
  model?: RemoteModel;
  onClose: () => void;
}

/** A model behind a URL: where it is, what its server speaks, what it does. */
export function RemoteDialog({ model, onClose }: Props) {
  const client = useQueryClient();
  const [name, setName] = useState(model?.name ?? "");
  const [form, setForm] = useState<RemoteForm>(model ? formOf(model.spec) : NEW_REMOTE);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const set = (part: Partial<RemoteForm>) => setForm({ ...form, ...part });
  const itself = form.contract === "countersign";
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const body = { name: name.trim(), spec: specOf(form) };
      await (model
        ? api.patch<RemoteModel>(`/remote-models/${encodeURIComponent(model.name)}`, { body })
        : api.post<RemoteModel>("/remote-models", { body }));
      await client.invalidateQueries({ queryKey: keys.models });
      notifyDone(`The model ${body.name} is ${model ? "changed" : "here"}.`);
      onClose();
    } catch (error) {
      const { what, todo } = tell(error);
      setProblem(`${what} ${todo}`.trim());
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={model ? `Change ${model.name}` : "Add a model by URL"} size={560}>
      <form onSubmit={save} className={classes.form}>
        <TextInput
          label="Name"
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <TextInput
          label="URL"
          placeholder="https://host:8400"
          value={form.url}
          onChange={(event) => set({ url: event.currentTarget.value })}
        />
        <Select
          label="Contract"
          description="What the server speaks."
          data={Object.entries(CONTRACTS).map(([value, label]) => ({ value, label }))}
          value={form.contract}
          allowDeselect={false}
          onChange={(contract) => contract && set({ contract })}
        />
        <MultiSelect
          label="Tasks"
          searchable
          description={itself ? "Its server tells them." : "What it does, the usual one first."}
          data={Object.entries(TASK_NAMES).map(([value, label]) => ({ value, label }))}
          value={form.tasks}
          onChange={(tasks) => set({ tasks: tasks as Task[] })}
        />
        {!itself && (
          <Textarea
            label="Classes"
            description="In the order of its outputs: a line each, or commas."
            autosize
            minRows={2}
            maxRows={6}
            value={form.classes}
            onChange={(event) => set({ classes: event.currentTarget.value })}
          />
        )}
        {!itself && (
          <Checkbox
            label="Zero-shot: it takes its classes as words"
            checked={form.zeroShot}
            onChange={(event) => set({ zeroShot: event.currentTarget.checked })}
          />
        )}
        <TextInput
          label="Model at the server"
          description="Where the server has several."
          value={form.model}
          onChange={(event) => set({ model: event.currentTarget.value })}
        />
        <PasswordInput
          label="Secret"
          description={
            model?.spec.has_secret
              ? "One is kept. Type another to replace it."
              : "Value of the Authorization header, if it asks for one. It is never shown again."
          }
          placeholder="Bearer …"
          autoComplete="off"
          value={form.secret}
          onChange={(event) => set({ secret: event.currentTarget.value })}
        />
        <TextInput
          label="Description"
          value={form.description}
          onChange={(event) => set({ description: event.currentTarget.value })}
        />
        <JsonInput
          size="xs"
          label="Further settings"
          description="JSON, as the guide lists them: pre and post steps, timeout_s, retries …"
          autosize
          minRows={2}
          maxRows={10}
          value={form.more}
          onChange={(more) => set({ more })}
        />
        {problem && (
          <p className={classes.problem} role="alert">
            {problem}
          </p>
        )}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={!name.trim() || !form.url.trim()}>
            {model ? "Save" : "Add"}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
