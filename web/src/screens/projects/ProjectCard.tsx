import { ActionIcon, Button, Menu, Modal, Progress, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Download, Ellipsis, ImageIcon, ImageOff, Pencil, Trash2, Upload } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { api, keys, type Project, thumbnailUrl } from "~/api";
import { notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { ExportDialog, ImportDialog } from "~/transfer";
import { confirm } from "~/ui/confirm";
import { ago, count, many, percent, short } from "~/ui/format";
import classes from "./projects.module.css";

type Open = "import" | "export" | "rename" | null;

/** A project at a glance: what it shows, how much there is, how far it is, when it moved. */
export function ProjectCard({ project }: { project: Project }) {
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <article className={classes.card} aria-labelledby={`project-${project.id}`}>
      <Cover project={project} />
      <div className={classes.cardBody}>
        <div className={classes.cardHead}>
          <Link
            href={paths.images(project.id)}
            className={classes.name}
            id={`project-${project.id}`}
            title={project.name}
          >
            {project.name}
          </Link>
          <CardMenu project={project} onOpen={setOpen} />
        </div>
        <dl className={classes.numbers}>
          <Tally name="image" value={project.images} />
          <Tally name="label" value={project.labels} />
          <Tally name="field" value={project.fields} />
          <Tally name="run" value={project.runs} />
        </dl>
        <Progress
          value={project.images ? (100 * project.labelled) / project.images : 0}
          size={4}
          aria-label={`Labelled: ${percent(project.labelled, project.images)}`}
        />
        <div className={classes.foot}>
          <span>
            {project.images === 0
              ? "no images yet"
              : `${count(project.labelled)} labelled · ${percent(project.labelled, project.images)}`}
          </span>
          <span className={project.active ? classes.active : undefined}>
            {project.active ? `${project.active} at work` : ago(project.last_change ?? project.created_at)}
          </span>
        </div>
      </div>
      <ImportDialog projectId={project.id} opened={open === "import"} onClose={close} />
      <ExportDialog projectId={project.id} opened={open === "export"} onClose={close} />
      {open === "rename" && <Rename project={project} onClose={close} />}
    </article>
  );
}

function Tally({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{value === 1 ? name : `${name}s`}</dt>
      <dd title={count(value)}>{value < 1_000_000 ? count(value) : short(value)}</dd>
    </div>
  );
}

function Cover({ project }: { project: Project }) {
  const [failed, setFailed] = useState<readonly number[]>([]);
  const shown = project.cover.slice(0, 4);
  const none = shown.every((image) => failed.includes(image.id));
  if (none) {
    return (
      <div className={classes.cover} aria-hidden="true">
        {shown.length ? <ImageOff size={28} /> : <ImageIcon size={28} />}
      </div>
    );
  }
  return (
    <div className={classes.cover} data-count={shown.length} aria-hidden="true">
      {shown.map((image) => (
        <img
          key={image.id}
          src={thumbnailUrl(image, 256)}
          alt=""
          loading="lazy"
          decoding="async"
          data-failed={failed.includes(image.id) || undefined}
          onError={() => setFailed((before) => [...before, image.id])}
        />
      ))}
    </div>
  );
}

function CardMenu({ project, onOpen }: { project: Project; onOpen: (what: Open) => void }) {
  const client = useQueryClient();
  const remove = async () => {
    const yes = await confirm({
      title: `Delete “${project.name}”?`,
      body: `Its ${many(project.labels, "label")}, ${many(project.runs, "run")} and history are deleted for good. Image files stay where they are, except those that were uploaded here.`,
      action: "Delete the project",
      danger: true,
    });
    if (!yes) return;
    try {
      await api.delete(`/projects/${project.id}`);
      await client.invalidateQueries({ queryKey: keys.projects });
    } catch (error) {
      notifyError("The project could not be deleted", error);
    }
  };
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <ActionIcon aria-label={`More about ${project.name}`} className={classes.menu}>
          <Ellipsis size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Upload size={14} />} onClick={() => onOpen("import")}>
          Import images or labels
        </Menu.Item>
        <Menu.Item leftSection={<Download size={14} />} onClick={() => onOpen("export")}>
          Export labels
        </Menu.Item>
        <Menu.Item leftSection={<Pencil size={14} />} onClick={() => onOpen("rename")}>
          Rename
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<Trash2 size={14} />} color="red" onClick={() => void remove()}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Rename({ project, onClose }: { project: Project; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(project.name);
  const [problem, setProblem] = useState("");
  const save = async () => {
    try {
      await api.patch<Project>(`/projects/${project.id}`, { body: { name: name.trim() } });
      await client.invalidateQueries({ queryKey: keys.projects });
      await client.invalidateQueries({ queryKey: keys.project(project.id) });
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Modal opened onClose={onClose} title={`Rename “${project.name}”`} size={400}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={problem || undefined}
          data-autofocus
        />
        <div className={classes.buttons}>
          <Button type="submit" disabled={!name.trim() || name.trim() === project.name}>
            Rename
          </Button>
        </div>
      </form>
    </Modal>
  );
}
