import { ActionIcon, Badge, Button, Menu, Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Download, Ellipsis, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { api, keys, type Model, type ModelList, url } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { TASK_NAMES } from "~/models/catalogue";
import { ago, confirm, count, many } from "~/ui";
import { DialogForm } from "~/ui/DialogForm";
import { Disclose } from "~/ui/Disclose";
import { Facts } from "~/ui/Facts";
import classes from "./models.module.css";
import { details, scores, taught } from "./shown";

const SHOWN = 8;

/** A model with its card: what it knows, what it learned from, how good it was. */
export function ModelCard({ model }: { model: Model }) {
  const client = useQueryClient();
  const [naming, setNaming] = useState(false);
  const { card } = model;
  const from = taught(card);
  const path = `/models/${encodeURIComponent(model.name)}`;
  const remove = async () => {
    const yes = await confirm({
      title: `Delete the model ${model.name}?`,
      body: "Its weights are deleted and cannot be brought back, unless you have exported it. Labels that it made stay, and keep saying where they came from.",
      action: "Delete the model",
      danger: true,
    });
    if (!yes) return;
    const before = client.getQueryData<ModelList>(keys.models);
    client.setQueryData<ModelList>(
      keys.models,
      (list) => list && { ...list, items: list.items.filter((each) => each.id !== model.id) },
    );
    try {
      await api.delete(path);
      notifyDone(`The model ${model.name} is deleted.`);
    } catch (error) {
      client.setQueryData(keys.models, before);
      notifyError(`${model.name} was not deleted`, error);
    }
  };
  const measured = scores(card);
  return (
    <article className={classes.card} aria-label={`Model ${model.name}`}>
      <div className={classes.top}>
        <h2 className="cs-truncate" title={model.name}>
          {model.name}
        </h2>
        <Button
          component="a"
          href={url(`${path}/file`)}
          download
          variant="default"
          leftSection={<Download size={14} />}
        >
          Export
        </Button>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={`More for ${model.name}`}>
              <Ellipsis size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<Pencil size={14} />} onClick={() => setNaming(true)}>
              Rename …
            </Menu.Item>
            <Menu.Item leftSection={<Trash2 size={14} />} color="red" onClick={() => void remove()}>
              Delete …
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      <div className={classes.badges}>
        {card.tasks.map((task) => (
          <Badge key={task} tt="none" fw={500}>
            {TASK_NAMES[task] ?? task}
          </Badge>
        ))}
        <span title={new Date(model.created_at).toLocaleString()}>
          {model.trained ? (
            <>
              trained in{" "}
              <Link href={paths.images(model.trained.project_id)} className={classes.link}>
                {model.trained.project}
              </Link>{" "}
              by {model.trained.created_by},{" "}
            </>
          ) : (
            "imported, "
          )}
          {ago(model.created_at)}
        </span>
      </div>
      <p className={classes.description}>{card.description || "Its card has no description."}</p>
      <div className={classes.scores}>
        {measured.map((score) => (
          <div key={score.name}>
            <b>{Number.isFinite(score.value) ? score.value.toFixed(3) : "–"}</b>
            <span>{score.name}</span>
          </div>
        ))}
        {measured.length === 0 && <span className={classes.dim}>No score was measured.</span>}
        {from && (
          <div>
            <b>{count(from.images)}</b>
            <span>{from.images === 1 ? "image" : "images"} taught</span>
          </div>
        )}
        {from && from.labels > 0 && (
          <div>
            <b>{count(from.labels)}</b>
            <span>labels</span>
          </div>
        )}
      </div>
      <div className={classes.classes} title={card.classes.join(", ")}>
        {card.classes.slice(0, SHOWN).map((name) => (
          <span key={name} className={classes.className}>
            {name}
          </span>
        ))}
        {card.classes.length > SHOWN && (
          <span className={classes.dim}>and {count(card.classes.length - SHOWN)} more</span>
        )}
        {card.classes.length === 0 && <span className={classes.dim}>It names no classes.</span>}
      </div>
      <Disclose label="The whole card">
        <Card model={model} />
      </Disclose>
      {naming && <Rename model={model} onClose={() => setNaming(false)} />}
    </article>
  );
}

function Card({ model }: { model: Model }) {
  const { card } = model;
  const rows: [string, string][] = [
    ["family", card.family],
    ["version", card.version],
    ["author", card.author],
    ["source", card.source],
    ["licence", card.licence],
    ["confidence to begin with", card.min_confidence.toFixed(2)],
    ["weights (SHA-256)", card.weights_hash],
    ["classes", `${many(card.classes.length, "class", "classes")}: ${card.classes.slice(0, 100).join(", ")}`],
    ...details(card),
  ];
  return <Facts names={168} rows={rows} />;
}

function Rename({ model, onClose }: { model: Model; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(model.name);
  const save = async () => {
    await api.patch<Model>(`/models/${encodeURIComponent(model.name)}`, { body: { name: name.trim() } });
    await client.invalidateQueries({ queryKey: keys.models });
  };
  return (
    <Modal opened onClose={onClose} title={`Rename ${model.name}`} size={360}>
      <DialogForm
        action="Rename"
        send={save}
        onClose={onClose}
        ready={name.trim() !== "" && name.trim() !== model.name}
      >
        <TextInput
          label="Name"
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
      </DialogForm>
    </Modal>
  );
}
