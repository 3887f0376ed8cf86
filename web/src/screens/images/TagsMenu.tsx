import { Button, Popover, TextInput } from "@mantine/core";
import { Check, Minus, Plus, Tag } from "lucide-react";
import { type KeyboardEvent, useMemo, useState } from "react";
import type { NamedCount } from "~/api";
import { count, many } from "~/ui/format";
import classes from "./images.module.css";
import { type Changes, type Choice, choices, turn } from "./tag-choice";

interface Props {
  opened: boolean;
  onOpen: (open: boolean) => void;
  /** Tags of the images that the filter shows. */
  known: readonly string[];
  /** How many of the selected images have which tag; not given: not known (yet). */
  inSelection?: readonly NamedCount[];
  size: number;
  onApply: (add: string[], remove: string[]) => void;
}

/** The tags of the selected images: each on all, some or none of them. */
export function TagsMenu(props: Props) {
  return (
    <Popover opened={props.opened} onChange={props.onOpen} position="top" width={280} trapFocus shadow="md">
      <Popover.Target>
        <Button variant="default" leftSection={<Tag size={14} />} onClick={() => props.onOpen(!props.opened)}>
          Tags
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={8} aria-label="Tags of the selected images">
        {props.opened && <Tags {...props} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function Tags({ known, inSelection, size, onApply }: Props) {
  const [text, setText] = useState("");
  const [changes, setChanges] = useState<Changes>(new Map());
  const counts = useMemo(
    () => new Map((inSelection ?? []).map((each) => [each.name, each.count])),
    [inSelection],
  );
  const all = choices(known, counts, size, changes);
  const wanted = text.trim();
  const found = all.filter((each) => each.name.toLowerCase().includes(wanted.toLowerCase()));
  const isNew = wanted !== "" && !all.some((each) => each.name === wanted);
  const make = () => {
    setChanges(new Map([...changes, [wanted, true]]));
    setText("");
  };
  const apply = () => {
    const names = (on: boolean) => [...changes].filter(([, value]) => value === on).map(([name]) => name);
    onApply(names(true), names(false));
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const exact = all.find((each) => each.name === wanted);
    if (!wanted) {
      if (changes.size) apply();
    } else if (exact) {
      setChanges(turn(changes, exact));
      setText("");
    } else make();
  };
  return (
    <div className={classes.tagsMenu}>
      <TextInput
        aria-label="Find or make a tag"
        placeholder={all.length ? "Find or make a tag …" : "The first tag …"}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={press}
        maxLength={100}
        data-autofocus
      />
      <div className={classes.tagsList}>
        {found.map((each) => (
          <Row
            key={each.name}
            choice={each}
            count={counts.get(each.name)}
            onClick={() => setChanges(turn(changes, each))}
          />
        ))}
        {isNew && (
          <button type="button" className={classes.facet} onClick={make}>
            <Plus size={14} />
            <span className={classes.facetName}>Make “{wanted}”</span>
          </button>
        )}
        {all.length === 0 && !wanted && <p className={classes.hint}>Type a name and press Enter.</p>}
      </div>
      <Button onClick={apply} disabled={changes.size === 0}>
        Apply to {many(size, "image")}
      </Button>
    </div>
  );
}

function Row({ choice, count: found, onClick }: { choice: Choice; count?: number; onClick: () => void }) {
  const { name, next } = choice;
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={next === "some" ? "mixed" : next === "all"}
      className={classes.facet}
      onClick={onClick}
    >
      <span className={classes.box} aria-hidden>
        {next === "some" ? <Minus size={10} strokeWidth={4} /> : <Check size={10} strokeWidth={4} />}
      </span>
      <span className={classes.facetName} title={name}>
        {name}
      </span>
      {next === "some" && <span className={classes.facetCount}>on {count(found ?? 0)}</span>}
      {next !== choice.now && (
        <span className={classes.facetCount}>{next === "all" ? "add" : "take off"}</span>
      )}
    </button>
  );
}
