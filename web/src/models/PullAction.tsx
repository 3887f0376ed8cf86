import { Button, Progress } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Download, ScrollText } from "lucide-react";
import { useState } from "react";
import { api, type CatalogueEntry, keys, type Operation, tell } from "~/api";
import { notifyError } from "~/app/notify";
import { isRunning } from "~/transfer/useOperation";
import { bytes, percent } from "~/ui/format";
import { downloadSize } from "./catalogue";
import { LicenceDialog } from "./LicenceDialog";
import styles from "./models.module.css";
import { usePull } from "./queries";

/** What must be done before a model can be used: its licence accepted, its files fetched. Nothing where both are. */
export function PullAction({ entry }: { entry: CatalogueEntry }) {
  const client = useQueryClient();
  const { operation, start, cancel, forget } = usePull(entry.name);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const pull = async () => {
    if (entry.licence_due) return setAsking(true);
    setBusy(true);
    try {
      await start();
    } catch (error) {
      notifyError(`${entry.name} could not be fetched`, error);
    } finally {
      setBusy(false);
    }
  };
  const accept = async () => {
    if (!entry.installed) return start(true);
    await api.post("/catalogue/licence", { body: { model: entry.name } });
    await client.invalidateQueries({ queryKey: keys.catalogue });
  };
  const dialog = entry.licences.length > 0 && (
    <LicenceDialog
      opened={asking}
      model={entry.name}
      action={entry.installed ? "Accept" : "Accept and pull"}
      accept={accept}
      onClose={() => setAsking(false)}
    />
  );
  if (entry.installed) {
    if (!entry.licence_due) return dialog;
    return (
      <div className={styles.action}>
        <Button leftSection={<ScrollText size={14} />} onClick={() => setAsking(true)}>
          Read and accept its licence …
        </Button>
        {dialog}
      </div>
    );
  }
  if (operation && isRunning(operation)) {
    return (
      <>
        <Fetching name={entry.name} operation={operation} cancel={() => void cancel()} />
        {dialog}
      </>
    );
  }
  const size = downloadSize(entry) && ` ${downloadSize(entry)}`;
  const again = operation?.state === "cancelled" || operation?.state === "failed";
  return (
    <div className={styles.action}>
      <Button leftSection={<Download size={14} />} loading={busy} onClick={() => void pull()}>
        {again ? "Pull again" : `Pull${size}`}
        {entry.licence_due ? " …" : ""}
      </Button>
      {operation?.state === "cancelled" && (
        <p className={styles.note}>Cancelled. What has come is kept: the next try goes on there.</p>
      )}
      {operation?.state === "failed" && <Failed operation={operation} close={forget} />}
      {dialog}
    </div>
  );
}

function Fetching({ name, operation, cancel }: { name: string; operation: Operation; cancel: () => void }) {
  const { done, total, note } = operation;
  return (
    <div className={styles.action}>
      <div className={styles.fetching}>
        <div>
          <Progress
            size={6}
            value={total ? (100 * done) / total : 100}
            animated={!total}
            striped={!total}
            aria-label={`Download of ${name}`}
          />
          <p className={styles.note}>
            {total
              ? `${bytes(done)} of ${bytes(total)} · ${percent(done, total)}`
              : done
                ? bytes(done)
                : "Waiting"}
            {note ? ` · ${note}` : ""}
          </p>
        </div>
        <Button variant="default" onClick={cancel}>
          Cancel
        </Button>
      </div>
    </div>
  );
}

/** Without a network the remedy names each file, where it is to be found, and the folder that it belongs into. */
function Failed({ operation, close }: { operation: Operation; close: () => void }) {
  const told = operation.problem
    ? { what: operation.problem.detail, todo: operation.problem.remedy }
    : tell(new Error("It failed."));
  const copy = () => void navigator.clipboard?.writeText(`${told.what}\n${told.todo}`);
  return (
    <div className={styles.failed} role="alert">
      <strong>{told.what}</strong>
      {told.todo && <pre>{told.todo}</pre>}
      <div className={styles.buttons}>
        {told.todo && (
          <Button variant="subtle" color="gray" onClick={copy}>
            Copy
          </Button>
        )}
        <Button variant="subtle" color="gray" onClick={close}>
          Close
        </Button>
      </div>
    </div>
  );
}
