import { Button, Modal, Radio } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { TextSearch } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { api, type Field, keys, type Run } from "~/api";
import { notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { ImportDialog } from "~/transfer";
import { EmptyState, many } from "~/ui";
import classes from "./runs.module.css";

interface Props {
  projectId: number;
  /** Fields whose labels have confidences and that are under no review. */
  fields: readonly Field[];
  onClose: () => void;
}

/** Take a field whose labels carry confidences through a review like a run's. */
export function AdoptDialog({ projectId, fields, onClose }: Props) {
  const [, go] = useLocation();
  const client = useQueryClient();
  const [picked, setField] = useState("");
  const field = fields.some((each) => each.name === picked) ? picked : (fields[0]?.name ?? "");
  const [busy, setBusy] = useState(false);
  const [importing, setImporting] = useState(false);
  const adopt = async () => {
    setBusy(true);
    try {
      const run = await api.post<Run>(`/projects/${projectId}/runs/adopt`, { body: { field } });
      void client.invalidateQueries({ queryKey: keys.runs(projectId) });
      go(paths.review(projectId, run.id));
    } catch (error) {
      notifyError("The labels could not be taken for review", error);
      setBusy(false);
    }
  };
  if (importing) return <ImportDialog projectId={projectId} opened onClose={() => setImporting(false)} />;
  return (
    <Modal opened onClose={onClose} title="Analyse existing labels" size={480}>
      {fields.length === 0 ? (
        <EmptyState
          icon={<TextSearch size={28} />}
          title="No field has labels with a confidence"
          actions={
            <>
              <Button onClick={() => setImporting(true)}>Import labels …</Button>
              <Button variant="default" onClick={onClose}>
                Close
              </Button>
            </>
          }
        >
          Import what a model has said (COCO results, CSV with a confidence, YOLO with a sixth column) into a
          field of its own: it is listed here then.
        </EmptyState>
      ) : (
        <div className={classes.form}>
          <p className={classes.explain}>
            Copies of the labels become proposals, to be reviewed by confidence, approved or rejected like
            those of a run. The field itself stays as it is.
          </p>
          <Radio.Group value={field} onChange={setField} aria-label="Field">
            <div className={classes.choices}>
              {fields.map((each) => (
                <Radio
                  key={each.id}
                  value={each.name}
                  label={each.name}
                  description={`${many(each.labels, "label")} on ${many(each.images, "image")}`}
                />
              ))}
            </div>
          </Radio.Group>
          <div className={classes.buttons}>
            <Button variant="subtle" color="gray" onClick={() => setImporting(true)} mr="auto">
              Import others …
            </Button>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button loading={busy} disabled={!field} onClick={() => void adopt()} data-autofocus>
              Review {field}
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}
