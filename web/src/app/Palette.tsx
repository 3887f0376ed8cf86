import { Modal, TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { KeyHint } from "~/ui/KeyHint";
import classes from "./palette.module.css";
import { type PaletteAction, score, usePalette } from "./palette-store";

const SHOWN = 60;

/** Everything that can be done or gone to, by typing a few letters of it. */
export function Palette() {
  const { open, setOpen } = usePalette();
  return (
    <Modal.Root
      opened={open}
      onClose={() => setOpen(false)}
      centered={false}
      yOffset="12vh"
      size={560}
      padding={0}
      transitionProps={{ duration: 80 }}
    >
      <Modal.Overlay backgroundOpacity={0.5} />
      <Modal.Content aria-label="Command palette">
        {open && <Commands close={() => setOpen(false)} />}
      </Modal.Content>
    </Modal.Root>
  );
}

function Commands({ close }: { close: () => void }) {
  const sources = usePalette((state) => state.sources);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const base = useId();
  const all = useMemo(() => [...sources.values()].flatMap((source) => source()), [sources]);
  const found = useMemo(() => search(all, query), [all, query]);
  const chosen = Math.min(at, found.length - 1);

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  });

  const run = (action: PaletteAction | undefined) => {
    if (!action) return;
    close();
    action.run();
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((chosen + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <div className={classes.palette}>
      <TextInput
        variant="unstyled"
        size="md"
        leftSection={<Search size={16} />}
        placeholder="Go to or do …"
        aria-label="Command"
        role="combobox"
        aria-expanded
        aria-controls={`${base}-list`}
        aria-activedescendant={found[chosen] ? `${base}-${chosen}` : undefined}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
        data-autofocus
      />
      <div ref={list} id={`${base}-list`} role="listbox" aria-label="Commands" className={classes.list}>
        {found.map((action, i) => (
          <div key={action.id} role="presentation">
            {action.group !== found[i - 1]?.group && <div className={classes.group}>{action.group}</div>}
            <button
              type="button"
              role="option"
              tabIndex={-1}
              id={`${base}-${i}`}
              aria-selected={i === chosen}
              className={classes.action}
              onMouseMove={() => i !== chosen && setAt(i)}
              onClick={() => run(action)}
            >
              <span className="cs-truncate">{action.label}</span>
              {action.keys && <KeyHint keys={action.keys} />}
            </button>
          </div>
        ))}
        {found.length === 0 && <div className={classes.none}>Nothing fits “{query}”. Try fewer letters.</div>}
      </div>
    </div>
  );
}

function search(all: readonly PaletteAction[], query: string): PaletteAction[] {
  const groups = [...new Set(all.map((each) => each.group))];
  return all
    .map((action) => ({ action, points: score(action, query) }))
    .filter((each) => each.points > 0)
    .sort((a, b) => groups.indexOf(a.action.group) - groups.indexOf(b.action.group) || b.points - a.points)
    .slice(0, SHOWN)
    .map((each) => each.action);
}
