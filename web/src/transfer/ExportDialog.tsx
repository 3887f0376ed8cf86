import { Button, Modal, Select, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { api, type Format, type Operation, useFields, useFormats, useSession } from "~/api";
import { ConfidenceRange } from "~/ui/ConfidenceRange";
import { many } from "~/ui/format";
import { ErrorNote } from "./ImportDialog";
import { OperationView } from "./OperationView";
import classes from "./transfer.module.css";

interface Props {
  projectId: number;
  opened: boolean;
  onClose: () => void;
  /** Which images; all if the query is empty and there are no ids. */
  target?: { query: string; ids?: number[] };
  /** How many they are; null: all of the project. */
  targetSize?: number | null;
}

/** Write the labels of a field in a format, to download or to a folder of the server. */
export function ExportDialog(props: Props) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="Export labels" size={560}>
      {props.opened && <ExportForm {...props} />}
    </Modal>
  );
}

function ExportForm({ projectId, onClose, target, targetSize = null }: Props) {
  const session = useSession();
  const fields = useFields(projectId);
  const formats = useFormats();
  const [field, setField] = useState<string | null>(null);
  const [format, setFormat] = useState("coco");
  const [settings, setSettings] = useState<Record<string, string>>({});
  const [range, setRange] = useState<[number, number]>([0, 1]);
  const [out, setOut] = useState("");
  const [scope, setScope] = useState(targetSize === null ? "all" : "target");
  const [operation, setOperation] = useState<Operation | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const names = fields.data?.map((each) => each.name) ?? [];
  const chosen = field ?? (names.includes("ground_truth") ? "ground_truth" : (names[0] ?? null));
  const info = fields.data?.find((each) => each.name === chosen);
  const writer = formats.data?.find((each) => each.name === format);
  const ready = chosen !== null && info !== undefined && info.labels > 0;

  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      const body = {
        ...(scope === "target" ? target : {}),
        field: chosen,
        format,
        settings: Object.fromEntries(Object.entries(settings).filter(([, value]) => value.trim())),
        min_confidence: info?.has_confidence && range[0] > 0 ? range[0] : null,
        max_confidence: info?.has_confidence && range[1] < 1 ? range[1] : null,
        out: out.trim() || null,
      };
      setOperation(await api.post<Operation>(`/projects/${projectId}/export`, { body }));
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };

  if (operation) {
    return (
      <OperationView
        id={operation.id}
        actions={() => (
          <>
            <Button variant="default" onClick={() => setOperation(null)}>
              Export again
            </Button>
            <Button variant="default" onClick={onClose}>
              Done
            </Button>
          </>
        )}
      />
    );
  }
  return (
    <div className={classes.form}>
      <div className={classes.two}>
        <Select
          label="Field"
          data={(fields.data ?? []).map((each) => ({
            value: each.name,
            label: `${each.name} · ${many(each.labels, "label")}`,
          }))}
          value={chosen}
          onChange={setField}
          allowDeselect={false}
          placeholder="No labels yet"
          disabled={names.length === 0}
          data-autofocus
        />
        <Select
          label="Format"
          data={(formats.data ?? [])
            .filter((each) => each.writes)
            .map((each) => ({ value: each.name, label: each.title }))}
          value={format}
          onChange={(value) => {
            if (value) setFormat(value);
            setSettings({});
          }}
          allowDeselect={false}
        />
        <Select
          label="Images"
          data={[
            { value: "all", label: "All images" },
            ...(targetSize === null ? [] : [{ value: "target", label: targetLabel(target, targetSize) }]),
          ]}
          value={scope}
          onChange={(value) => value && setScope(value)}
          allowDeselect={false}
        />
        {session.data?.paths_allowed && (
          <TextInput
            label="Write to (on the server)"
            placeholder="empty: download it"
            value={out}
            onChange={(event) => setOut(event.currentTarget.value)}
          />
        )}
      </div>
      {info?.has_confidence && (
        <div>
          <div className={classes.label}>Confidence</div>
          <ConfidenceRange value={range} onChange={setRange} />
        </div>
      )}
      {writer && (
        <WriterSettings key={writer.name} format={writer} values={settings} onChange={setSettings} />
      )}
      {fields.data && !ready && (
        <p className={classes.quiet}>This field has no labels yet: draw some, import some, or start a run.</p>
      )}
      <ErrorNote error={error} />
      <div className={classes.buttons}>
        <Button disabled={!ready} loading={busy} onClick={() => void start()}>
          Export
        </Button>
      </div>
    </div>
  );
}

function targetLabel(target: Props["target"], size: number): string {
  return target?.ids ? `The selected ${many(size, "image")}` : `The ${many(size, "image")} of the filter`;
}

/** What the format itself can be told; the words are the server's. */
function WriterSettings(props: {
  format: Format;
  values: Record<string, string>;
  onChange: (values: Record<string, string>) => void;
}) {
  const [open, setOpen] = useState(false);
  const entries = useMemo(
    () => Object.entries(props.format.write_settings).filter(([name]) => name !== "overwrite"),
    [props.format],
  );
  if (entries.length === 0) return null;
  return (
    <details className={classes.details} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Settings of {props.format.title}</summary>
      <div className={classes.form}>
        {entries.map(([name, about]) => (
          <TextInput
            key={name}
            label={name}
            description={about}
            placeholder="default"
            value={props.values[name] ?? ""}
            onChange={(event) => props.onChange({ ...props.values, [name]: event.currentTarget.value })}
          />
        ))}
      </div>
    </details>
  );
}
