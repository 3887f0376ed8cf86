import { Modal, TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { ClassDot, KeyHint, many } from "~/ui";
import classes from "./review.module.css";

interface Props {
  colors: ReadonlyMap<string, string>;
  /** How many labels get it. */
  count: number;
  onChoose: (className: string) => void;
  onClose: () => void;
}

/** Another class for what is picked: type a few letters of it, Enter. */
export function RelabelDialog({ colors, count, onChoose, onClose }: Props) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const all = [...colors.keys()];
  const found = all.filter((name) => name.toLowerCase().includes(text.trim().toLowerCase()));
  const chosen = Math.min(at, found.length - 1);
  const press = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setAt((chosen + by + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter" && found[chosen] !== undefined) onChoose(found[chosen]);
    else return;
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
        placeholder="Type a few letters"
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
        {found.map((name, i) => {
          const number = all.indexOf(name) + 1;
          return (
            <button
              key={name}
              type="button"
              role="option"
              tabIndex={-1}
              aria-selected={i === chosen}
              onMouseMove={() => i !== chosen && setAt(i)}
              onClick={() => onChoose(name)}
            >
              <ClassDot color={colors.get(name) ?? "#888888"} />
              <span className="cs-truncate">{name}</span>
              {number <= 9 && <KeyHint keys={String(number)} />}
            </button>
          );
        })}
        {found.length === 0 && <p className={classes.quiet}>No class of this project fits “{text}”.</p>}
      </div>
      <p className={classes.explain}>Labels that get another class count as promoted.</p>
    </Modal>
  );
}
