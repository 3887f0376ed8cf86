import {
  Checkbox,
  JsonInput,
  Modal,
  MultiSelect,
  NumberInput,
  PasswordInput,
  Select,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, keys, type RemoteModel } from "~/api";
import { notifyDone } from "~/app/notify";
import { TASK_NAMES, type Task } from "~/models/catalogue";
import { CONTRACTS, formOf, lackingOf, NEW_REMOTE, type RemoteForm, specOf } from "~/models/remote-form";
import { DialogForm } from "~/ui/DialogForm";
import { Disclose } from "~/ui/Disclose";
import classes from "./remote.module.css";
import { StepList } from "./StepList";

interface Props {
  /** The one to change; without it a new one is made. */
  model?: RemoteModel;
  onClose: () => void;
}

/** A model behind a URL: where it is, what its server speaks, what it does. */
export function RemoteDialog({ model, onClose }: Props) {
  const client = useQueryClient();
  const [name, setName] = useState(model?.name ?? "");
  // What the form began with: the list of models may be fetched again while it is open.
  const [was] = useState(model?.spec);
  const [form, setForm] = useState<RemoteForm>(was ? formOf(was) : NEW_REMOTE);
  const set = (part: Partial<RemoteForm>) => setForm({ ...form, ...part });
  const itself = form.contract === "countersign";
  const lacking = lackingOf(name, form);
  const send = async () => {
    const body = { name: name.trim(), spec: specOf(form, was) };
    await (model
      ? api.patch<RemoteModel>(`/remote-models/${encodeURIComponent(model.name)}`, { body })
      : api.post<RemoteModel>("/remote-models", { body }));
    await client.invalidateQueries({ queryKey: keys.models });
    notifyDone(`The model ${body.name} is ${model ? "changed" : "here"}.`);
  };
  return (
    <Modal opened onClose={onClose} title={model ? `Change ${model.name}` : "Add a model by URL"} size={600}>
      <DialogForm
        action={model ? "Save" : "Add"}
        send={send}
        onClose={onClose}
        ready={lacking === ""}
        note={lacking || (itself ? "Its server is asked for its card." : "")}
      >
        <div className={classes.two}>
          <TextInput
            label="Name"
            value={name}
            maxLength={100}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <Select
            label="Contract"
            data={Object.entries(CONTRACTS).map(([value, { label }]) => ({ value, label }))}
            value={form.contract}
            allowDeselect={false}
            onChange={(contract) =>
              contract &&
              set({
                contract,
                ...(contract === "countersign" ? { tasks: [], classes: "", zeroShot: false } : {}),
              })
            }
          />
        </div>
        <TextInput
          label="URL"
          placeholder={CONTRACTS[form.contract]?.url}
          value={form.url}
          onChange={(event) => set({ url: event.currentTarget.value })}
        />
        {!itself && <Knows form={form} set={set} />}
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
        {!itself && (
          <Disclose
            label="How images are sent, and what comes back is read"
            open={form.pre.length + form.post.length > 0}
          >
            <Sending form={form} set={set} />
          </Disclose>
        )}
        <Disclose label="Limits, and what else can be said" open={form.more !== ""}>
          <Limits form={form} set={set} />
        </Disclose>
      </DialogForm>
    </Modal>
  );
}

interface PartProps {
  form: RemoteForm;
  set: (part: Partial<RemoteForm>) => void;
}

/** What servers of other contracts do not tell of their model. */
function Knows({ form, set }: PartProps) {
  return (
    <>
      <MultiSelect
        label="Tasks"
        searchable
        description="What it does, the usual one first."
        data={Object.entries(TASK_NAMES).map(([value, label]) => ({ value, label }))}
        value={form.tasks}
        onChange={(tasks) => set({ tasks: tasks as Task[] })}
      />
      <Textarea
        label="Classes"
        description="In the order of its outputs: a line each, or one line with commas."
        autosize
        minRows={2}
        maxRows={6}
        value={form.classes}
        onChange={(event) => set({ classes: event.currentTarget.value })}
      />
      <Checkbox
        label="Zero-shot: it takes its classes as words"
        checked={form.zeroShot}
        onChange={(event) => set({ zeroShot: event.currentTarget.checked })}
      />
    </>
  );
}

function Sending({ form, set }: PartProps) {
  const plain = form.contract === "plain";
  return (
    <>
      <div className={classes.three}>
        <Select
          label="Images as"
          data={[
            { value: "png", label: "PNG" },
            { value: "jpeg", label: "JPEG" },
            { value: "tiff", label: "TIFF, all bands" },
          ]}
          value={form.encoding}
          allowDeselect={false}
          onChange={(encoding) => encoding && set({ encoding })}
        />
        {plain && (
          <Select
            label="Sent as"
            data={[
              { value: "json", label: "JSON, base64" },
              { value: "multipart", label: "Form, field image" },
            ]}
            value={form.transfer}
            allowDeselect={false}
            onChange={(transfer) => transfer && set({ transfer })}
          />
        )}
        {plain && (
          <Select
            label="Boxes are"
            data={[
              { value: "xyxy", label: "x y x y, pixels" },
              { value: "xywh", label: "x y w h, pixels" },
              { value: "relative-xyxy", label: "x y x y, 0 to 1" },
              { value: "relative-xywh", label: "x y w h, 0 to 1" },
            ]}
            value={form.boxes}
            allowDeselect={false}
            onChange={(boxes) => boxes && set({ boxes })}
          />
        )}
      </div>
      <StepList
        label="Before the image is sent"
        when="pre"
        steps={form.pre}
        onChange={(pre) => set({ pre })}
      />
      {plain && (
        <StepList
          label="After numbers came back"
          when="post"
          steps={form.post}
          onChange={(post) => set({ post })}
        />
      )}
    </>
  );
}

function Limits({ form, set }: PartProps) {
  return (
    <>
      <TextInput
        label="Model at the server"
        description="Where the server has several and the address does not say which."
        value={form.model}
        onChange={(event) => set({ model: event.currentTarget.value })}
      />
      <div className={classes.two}>
        <NumberInput
          label="Seconds for one answer"
          min={0.1}
          max={3600}
          value={form.timeout}
          onChange={(timeout) => set({ timeout })}
        />
        <NumberInput
          label="Tries after a failure"
          min={0}
          max={10}
          allowDecimal={false}
          value={form.retries}
          onChange={(retries) => set({ retries })}
        />
        <NumberInput
          label="Requests at once"
          min={1}
          max={64}
          allowDecimal={false}
          value={form.concurrency}
          onChange={(concurrency) => set({ concurrency })}
        />
        {form.contract !== "countersign" && (
          <NumberInput
            label="Confidence to begin with"
            min={0}
            max={1}
            step={0.05}
            value={form.confidence}
            onChange={(confidence) => set({ confidence })}
          />
        )}
      </div>
      <JsonInput
        size="xs"
        label="Further settings"
        description="JSON, as the guide lists them: rename, keypoints, settings, header … It goes before the fields."
        autosize
        minRows={2}
        maxRows={10}
        value={form.more}
        onChange={(more) => set({ more })}
      />
    </>
  );
}
