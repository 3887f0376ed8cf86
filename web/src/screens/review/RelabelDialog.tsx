import { Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Plus, Search } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { api, keys, type LabelClass } from "~/api";
import { notifyError } from "~/app/notify";
import { ClassDot, KeyHint, many } from "~/ui";
import classes from "./review.module.css";

interface Props {
  projectId: number;
  colors: ReadonlyMap<string, string>;
  /** How many labels get it. */
  count: number;
  onChoose: (className: string) => void;
  onClose: () => void;
}

const MOST = 200;
const show = (element: HTMLElement | null) => element?.scrollIntoView({ block: "nearest" });

/** Another class for what is picked: type a few letters of it, Enter. */
export function RelabelDialog({ projectId, colors, count, onChoose, onClose }: Props) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const all = [...colors.keys()];
  const wanted = text.trim();
  const found = all.filter((name) => name.toLowerCase().includes(wanted.toLowerCase()));
  // The last choice, where no class has exactly this name: a new one.
  const fresh = wanted !== "" && !colors.has(wanted);
  const choices = found.length + (fresh ? 1 : 0);
  const chosen = Math.min(at, choices - 1);
  const make = async () => {
    if (busy) return;
    setBusy(true);
    try {
      const made = await api.post<LabelClass>(`/projects/${projectId}/classes`, { body: { name: wanted } });
      await client.invalidateQueries({ queryKey: keys.classes(projectId) });
      onChoose(made.name);
    } catch (error) {
      notifyError("The class was not made", error);
      setBusy(false);
    }
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setAt((chosen + by + choices) % Math.max(1, choices));
    else if (event.key !== "Enter" || chosen < 0) return;
    else if (found[chosen] !== undefined) onChoose(found[chosen]);
    else void make();
    event.preventDefault();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Class of ${many(count, "label")}`}
      size={360}
      transitionProps={{ duration: 80 }}
    >
      <TextInput
        aria-label="Class"
        placeholder="Type a few letters, or the name of a new class"
        maxLength={200}
        leftSection={<Search size={14} />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
        data-autofocus
      />
      <div className={classes.choices} role="listbox" aria-label="Classes">
        {found.slice(0, MOST).map((name, i) => {
          const number = all.indexOf(name) + 1;
          return (
            <button
              key={name}
              type="button"
              role="option"
              tabIndex={-1}
              aria-selected={i === chosen}
              ref={i === chosen ? show : undefined}
              onMouseMove={() => i !== chosen && setAt(i)}
              onClick={() => onChoose(name)}
            >
              <ClassDot color={colors.get(name) ?? "#888888"} />
              <span className="cs-truncate">{name}</span>
              {number <= 9 && <KeyHint keys={String(number)} />}
            </button>
          );
        })}
        {found.length > MOST && <p className={classes.quiet}>and {found.length - MOST} more: type on.</p>}
        {fresh && (
          <button
            type="button"
            role="option"
            tabIndex={-1}
            aria-selected={chosen === found.length}
            disabled={busy}
            onMouseMove={() => chosen !== found.length && setAt(found.length)}
            onClick={() => void make()}
          >
            <Plus size={12} />
            <span className="cs-truncate">Make the class “{wanted}”</span>
          </button>
        )}
        {choices === 0 && <p className={classes.quiet}>There is no class yet: type the name of one.</p>}
      </div>
      <p className={classes.explain}>Labels that get another class count as promoted.</p>
    </Modal>
  );
}
