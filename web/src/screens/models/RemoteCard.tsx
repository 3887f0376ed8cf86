import { ActionIcon, Menu } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, keys, type RemoteModel } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { CardPanel } from "~/models/CardPanel";
import { remoteEntry } from "~/models/remote";
import { confirm } from "~/ui";
import classes from "./models.module.css";
import { RemoteDialog } from "./RemoteDialog";
import { RemoteTest } from "./RemoteTest";

/** A model behind a URL: its card, a test, change, delete. */
export function RemoteCard({ model }: { model: RemoteModel }) {
  const client = useQueryClient();
  const [editing, setEditing] = useState(false);
  const path = `/remote-models/${encodeURIComponent(model.name)}`;
  const remove = async () => {
    const yes = await confirm({
      title: `Forget the model ${model.name}?`,
      body: "Its address and secret are deleted here; its server is not touched. Labels that it made stay.",
      action: "Forget the model",
      danger: true,
    });
    if (!yes) return;
    try {
      await api.delete(path);
      await client.invalidateQueries({ queryKey: keys.models });
      notifyDone(`The model ${model.name} is forgotten.`);
    } catch (error) {
      notifyError(`${model.name} was not forgotten`, error);
    }
  };
  return (
    <div className={classes.card}>
      <div className={classes.top}>
        <span className={`${classes.dim} cs-truncate`} style={{ flex: 1 }} title={String(model.spec.url)}>
          {String(model.spec.url)}
        </span>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={`More for ${model.name}`}>
              <Ellipsis size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<Pencil size={14} />} onClick={() => setEditing(true)}>
              Change …
            </Menu.Item>
            <Menu.Item leftSection={<Trash2 size={14} />} color="red" onClick={() => void remove()}>
              Forget …
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      <CardPanel entry={remoteEntry(model)} />
      <RemoteTest path={path} card={model.card} />
      {editing && <RemoteDialog model={model} onClose={() => setEditing(false)} />}
    </div>
  );
}
