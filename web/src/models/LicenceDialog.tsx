import { Checkbox, Modal } from "@mantine/core";
import { useState } from "react";
import { tell } from "~/api";
import { DialogForm } from "~/ui/DialogForm";
import { Facts } from "~/ui/Facts";
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
  return (
    <DialogForm
      action={action}
      send={accept}
      onClose={onClose}
      ready={read && data !== undefined}
      note={error ? tell(error).what : "That you accepted it is recorded with your name and the time."}
    >
      <p className={styles.prose}>{data?.licence_notice ?? (error ? "" : "…")}</p>
      {data && (
        <Facts
          rows={[
            ["Weights", data.licence || "not said"],
            ["Code", data.code_licence || "not said"],
            [
              "Described at",
              data.source && (
                <a href={data.source} target="_blank" rel="noreferrer">
                  {data.source}
                </a>
              ),
            ],
          ]}
        />
      )}
      <Checkbox
        label="I have read the licence and accept it for this use."
        checked={read}
        onChange={(event) => setRead(event.currentTarget.checked)}
        data-autofocus
      />
    </DialogForm>
  );
}
