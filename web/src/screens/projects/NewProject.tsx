import { Button, Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, keys, type Project } from "~/api";
import type { Dropped } from "~/transfer/dropped";
import { ErrorNote } from "~/transfer/ImportDialog";
import { EMPTY_SOURCE, ImportForm, isReady, UploadRow, useImport } from "~/transfer/ImportForm";
import { OperationView } from "~/transfer/OperationView";
import { nameFor } from "./names";
import classes from "./projects.module.css";

interface Props {
  /** What was dropped to begin with. */
  files: Dropped[];
  taken: readonly string[];
  onClose: () => void;
  onDone: (project: number) => void;
}

/** A name and where the images come from; then the import, and what came of it. */
export function NewProject({ files, taken, onClose, onDone }: Props) {
  const client = useQueryClient();
  const [source, setSource] = useState({
    ...EMPTY_SOURCE,
    files,
    from: files.length ? ("upload" as const) : EMPTY_SOURCE.from,
  });
  const [typed, setTyped] = useState<string | null>(null);
  const [made, setMade] = useState<Project | null>(null);
  const [error, setError] = useState<unknown>(null);
  const work = useImport();
  const name =
    typed ?? nameFor(source.from === "folder" ? source.path : (source.files[0]?.path ?? ""), taken);
  const clash = made === null && taken.includes(name.trim());

  const start = async (withImages: boolean) => {
    setError(null);
    try {
      const project = made ?? (await api.post<Project>("/projects", { body: { name: name.trim() } }));
      setMade(project);
      void client.invalidateQueries({ queryKey: keys.projects });
      if (withImages) await work.start(project.id, source);
      else onDone(project.id);
    } catch (reason) {
      setError(reason);
    }
  };

  return (
    <Modal opened onClose={onClose} title="New project" size={600} closeOnClickOutside={!work.busy}>
      {work.operation && made ? (
        <OperationView
          id={work.operation.id}
          actions={() => (
            <>
              <Button variant="default" onClick={work.reset}>
                Import more
              </Button>
              <Button onClick={() => onDone(made.id)}>Open {made.name}</Button>
            </>
          )}
        />
      ) : (
        <div className={classes.form}>
          <TextInput
            label="Name"
            placeholder="What the images show"
            value={name}
            onChange={(event) => setTyped(event.currentTarget.value)}
            error={clash ? "A project has this name already" : undefined}
            disabled={made !== null}
          />
          {work.progress ? (
            <UploadRow progress={work.progress} />
          ) : (
            <ImportForm source={source} onChange={setSource} />
          )}
          <ErrorNote error={error ?? work.error} />
          <div className={classes.buttons}>
            {work.busy ? (
              <Button variant="default" onClick={work.cancel}>
                Cancel
              </Button>
            ) : (
              <>
                <Button variant="default" disabled={!name.trim() || clash} onClick={() => void start(false)}>
                  {made ? "Open it without images" : "Create without images"}
                </Button>
                <Button disabled={!name.trim() || clash || !isReady(source)} onClick={() => void start(true)}>
                  {made ? "Try the import again" : "Create and import"}
                </Button>
              </>
            )}
          </div>
        </div>
      )}
    </Modal>
  );
}
