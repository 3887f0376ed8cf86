import { ActionIcon, Button, Menu, Select } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Pencil, Plug, Trash2 } from "lucide-react";
import { useState } from "react";
import {
  api,
  type ImagePage,
  keys,
  type RemoteModel,
  type RemoteModelTested,
  tell,
  useProjects,
} from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { CardPanel } from "~/models/CardPanel";
import { remoteEntry } from "~/models/remote";
import { confirm, many } from "~/ui";
import classes from "./models.module.css";
import { RemoteDialog } from "./RemoteDialog";

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
      <Test path={path} />
      {editing && <RemoteDialog model={model} onClose={() => setEditing(false)} />}
    </div>
  );
}

/** Ask its server, alone or with the first image of a project. */
function Test({ path }: { path: string }) {
  const projects = (useProjects().data ?? []).filter((each) => each.images > 0);
  const [project, setProject] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<{ text: string; bad: boolean } | null>(null);
  const test = async () => {
    setBusy(true);
    setTold(null);
    try {
      const image = project
        ? (await api.get<ImagePage>(`/projects/${project}/images`, { params: { limit: 1 } })).items[0]
        : undefined;
      const found = await api.post<RemoteModelTested>(`${path}/test`, {
        body: { image_id: image?.id ?? null },
      });
      const labels = found.predictions
        ? ` · ${many(found.predictions.length, "prediction")} on ${image?.name}`
        : "";
      setTold({ text: `${found.answer} · ${found.seconds.toFixed(1)} s${labels}`, bad: false });
    } catch (error) {
      const { what, todo } = tell(error);
      setTold({ text: `${what} ${todo}`.trim(), bad: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={classes.form}>
      <div className={classes.look}>
        <Select
          aria-label="Image of the test"
          placeholder="Without an image"
          data={projects.map((each) => ({ value: String(each.id), label: `First image of ${each.name}` }))}
          value={project}
          onChange={setProject}
          clearable
        />
        <Button variant="default" leftSection={<Plug size={14} />} loading={busy} onClick={() => void test()}>
          Test
        </Button>
      </div>
      {told && (
        <p className={told.bad ? classes.problem : classes.description} role={told.bad ? "alert" : "status"}>
          {told.text}
        </p>
      )}
    </div>
  );
}
