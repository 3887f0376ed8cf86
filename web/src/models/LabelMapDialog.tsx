/** Which class of the project each class of a model becomes; blank ignores it. Kept per project and model. */
import { Autocomplete, Modal, SegmentedControl, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowRight, Search } from "lucide-react";
import { useRef, useState } from "react";
import { api, type LabelMap as Kept, useClasses } from "~/api";
import { notifyError } from "~/app/notify";
import { DialogForm } from "~/ui/DialogForm";
import { count } from "~/ui/format";
import { counted, type LabelMap } from "./classes";
import { mapKey } from "./label-map";
import styles from "./models.module.css";

interface Props {
  opened: boolean;
  projectId: number;
  model: string;
  map: LabelMap;
  onSaved: (map: LabelMap) => void;
  onClose: () => void;
}

type Show = "all" | "used" | "ignored";

/** Always there, open or not: the stack of dialogs hears of its end by `opened` alone. */
export function LabelMapDialog(props: Props) {
  return (
    <Modal
      opened={props.opened}
      stackId="label-map"
      onClose={props.onClose}
      title={`Label map of ${props.model}`}
      size={640}
    >
      {props.opened && <Form {...props} />}
    </Modal>
  );
}

function Form({ projectId, model, map, onSaved, onClose }: Props) {
  const client = useQueryClient();
  const known = (useClasses(projectId).data ?? []).map((each) => each.name);
  const [now, setNow] = useState<LabelMap>(map);
  const [text, setText] = useState("");
  const [show, setShow] = useState<Show>("all");
  const word = text.trim().toLowerCase();
  // What was ignored or used when the filter was set stays in sight while one works on it.
  const [basis, setBasis] = useState<LabelMap>(map);
  const rows = Object.keys(now).filter(
    (name) =>
      (show === "all" || (basis[name] !== "") === (show === "used")) &&
      (word === "" || name.toLowerCase().includes(word) || now[name]!.toLowerCase().includes(word)),
  );
  const { used, ignored } = counted(now);
  const keep = async (classes: LabelMap | null) => {
    const kept = await api.put<Kept>(`/projects/${projectId}/label-map`, { body: { model, classes } });
    client.setQueryData(mapKey(projectId, model), kept);
    return kept.classes;
  };
  const save = async () =>
    onSaved(await keep(Object.fromEntries(Object.entries(now).map(([from, to]) => [from, to.trim()]))));
  const suggest = () => keep(null).then(setNow, (error) => notifyError("Nothing could be suggested", error));
  const all = (to: (name: string) => string) =>
    setNow(Object.fromEntries(Object.keys(now).map((name) => [name, to(name)])));
  return (
    <DialogForm action="Keep this map" send={save} onClose={onClose} ready>
      <p className={styles.prose}>
        At the left the model's classes, at the right what each becomes in this project. What is left blank is
        ignored. The map is kept for the next run with this model.
      </p>
      <div className={styles.mapTools}>
        <TextInput
          aria-label="Find a class"
          placeholder="Find a class"
          leftSection={<Search size={14} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          data-autofocus
        />
        <SegmentedControl
          aria-label="Which classes"
          data={[
            { value: "all", label: "All" },
            { value: "used", label: "Used" },
            { value: "ignored", label: "Ignored" },
          ]}
          value={show}
          onChange={(next) => {
            setShow(next as Show);
            setBasis(now);
          }}
        />
      </div>
      <Rows
        names={rows}
        map={now}
        known={known}
        set={(name, to) => setNow((before) => ({ ...before, [name]: to }))}
      />
      <div className={styles.links}>
        <span className={styles.note}>
          {count(used)} used, {count(ignored)} ignored
        </span>
        <span className={styles.links}>
          <button type="button" className="cs-link" onClick={() => void suggest()}>
            Suggest by name
          </button>
          <button type="button" className="cs-link" onClick={() => all((name) => name)}>
            Own names
          </button>
          <button type="button" className="cs-link" onClick={() => all(() => "")}>
            Ignore all
          </button>
        </span>
      </div>
    </DialogForm>
  );
}

interface RowsProps {
  names: readonly string[];
  map: LabelMap;
  known: readonly string[];
  set: (name: string, to: string) => void;
}

function Rows({ names, map, known, set }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: names.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 38,
    overscan: 6,
    initialRect: { width: 600, height: 340 },
  });
  return (
    <div ref={scroller} className={styles.mapRows}>
      {names.length === 0 && <p className={styles.note}>No class fits.</p>}
      <div style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const name = names[index]!;
          return (
            <div key={name} className={styles.mapRow} style={{ transform: `translateY(${start}px)` }}>
              <span className="cs-truncate" title={name} data-off={map[name] === "" || undefined}>
                {name}
              </span>
              <ArrowRight size={14} color="var(--cs-faint)" aria-hidden />
              <Autocomplete
                aria-label={`Class for ${name}`}
                placeholder="ignored"
                data={[...known]}
                value={map[name]}
                onChange={(to) => set(name, to)}
                limit={50}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}
