import { Button, Modal } from "@mantine/core";
import { useEffect, useState } from "react";
import { tell } from "~/api";
import type { Dropped } from "./dropped";
import { EMPTY_SOURCE, ImportForm, isReady, UploadRow, useImport } from "./ImportForm";
import { OperationView } from "./OperationView";
import classes from "./transfer.module.css";

interface Props {
  projectId: number;
  opened: boolean;
  onClose: () => void;
  /** What was dropped to begin with. */
  files?: Dropped[];
}

/** Bring images and labels into a project. It goes on when the dialog is closed: the activity list shows it. */
export function ImportDialog({ projectId, opened, onClose, files }: Props) {
  const [source, setSource] = useState(EMPTY_SOURCE);
  useEffect(() => {
    if (opened && files?.length) setSource({ ...EMPTY_SOURCE, from: "upload", files });
  }, [opened, files]);
  const work = useImport();
  const close = () => {
    if (!work.busy) work.reset();
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Import images and labels"
      size={600}
      closeOnClickOutside={!work.busy}
    >
      {work.operation ? (
        <OperationView
          id={work.operation.id}
          actions={() => (
            <>
              <Button variant="default" onClick={work.reset}>
                Import more
              </Button>
              <Button onClick={close}>Done</Button>
            </>
          )}
        />
      ) : (
        <div className={classes.form}>
          {work.progress ? (
            <UploadRow progress={work.progress} />
          ) : (
            <ImportForm source={source} onChange={setSource} />
          )}
          <ErrorNote error={work.error} />
          <div className={classes.buttons}>
            {work.busy ? (
              <Button variant="default" onClick={work.cancel}>
                Cancel
              </Button>
            ) : (
              <Button disabled={!isReady(source)} onClick={() => void work.start(projectId, source)}>
                Import
              </Button>
            )}
          </div>
        </div>
      )}
    </Modal>
  );
}

export function ErrorNote({ error }: { error: unknown }) {
  if (!error) return null;
  const { what, todo } = tell(error);
  return (
    <p className={classes.error} role="alert">
      <strong>{what}</strong> {todo}
    </p>
  );
}
