import { Button, Checkbox, Modal } from "@mantine/core";
import { useState } from "react";
import { tell } from "~/api";
import styles from "./models.module.css";
import { useCatalogueModel } from "./queries";

interface Props {
  opened: boolean;
  model: string;
  /** What the button does besides: "Accept and pull". */
  action: string;
  accept: () => Promise<unknown>;
  onClose: () => void;
}

/** A licence that restricts what may be done: shown and accepted by name before the first use. */
export function LicenceDialog(props: Props) {
  return (
    <Modal
      opened={props.opened}
      stackId="licence"
      onClose={props.onClose}
      title={`The licence of ${props.model}`}
      size={520}
    >
      {props.opened && <Form {...props} />}
    </Modal>
  );
}

function Form({ model, action, accept, onClose }: Props) {
  const { data, error } = useCatalogueModel(model);
  const [read, setRead] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const failed = error ? tell(error).what : problem;
  const go = async () => {
    setBusy(true);
    try {
      await accept();
      onClose();
    } catch (failure) {
      const { what, todo } = tell(failure);
      setProblem(`${what} ${todo}`.trim());
      setBusy(false);
    }
  };
  return (
    <div className={styles.form}>
      <p className={styles.prose}>{data?.licence_notice ?? (failed ? "" : "…")}</p>
      {data && (
        <dl className={styles.facts}>
          <Fact name="Weights">{data.licence || "not said"}</Fact>
          <Fact name="Code">{data.code_licence || "not said"}</Fact>
          {data.source && (
            <Fact name="Described at">
              <a href={data.source} target="_blank" rel="noreferrer">
                {data.source}
              </a>
            </Fact>
          )}
        </dl>
      )}
      <Checkbox
        label="I have read the licence and accept it for this use."
        checked={read}
        onChange={(event) => setRead(event.currentTarget.checked)}
        data-autofocus
      />
      <p className={styles.note}>That you accepted it is recorded with your name and the time.</p>
      {failed && <p className={styles.problem}>{failed}</p>}
      <div className={styles.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button disabled={!read || !data} loading={busy} onClick={() => void go()}>
          {action}
        </Button>
      </div>
    </div>
  );
}

export function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
