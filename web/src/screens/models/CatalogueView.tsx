/** The catalogue: filters on top, the models that pass at the left, the card of one of them at the right. */
import { Button, Select, TextInput } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, CircleCheck, Download, Lock, Search, SearchX } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { CatalogueEntry } from "~/api";
import { CardPanel } from "~/models/CardPanel";
import {
  downloadSize,
  type Filter,
  licenceName,
  NO_FILTER,
  passes,
  type Sorting,
  sorted,
  TASK_NAMES,
  type Task,
  vocabularyOf,
} from "~/models/catalogue";
import { useCatalogue } from "~/models/queries";
import { Rating } from "~/models/Ratings";
import { EmptyState, ErrorState, many } from "~/ui";
import classes from "./catalogue.module.css";

const ROW = 56;

export function CatalogueView() {
  const { data, error, refetch } = useCatalogue();
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [order, setOrder] = useState<Sorting>("task");
  const [chosen, setChosen] = useState("");
  const all = (data?.items ?? []).filter(
    (entry) => entry.origin === "catalogue" || entry.origin === "fetched",
  );
  const found = sorted(
    all.filter((entry) => passes(entry, filter)),
    order,
  );
  const entry = found.find((each) => each.name === chosen) ?? found[0];
  if (error && !data) {
    return (
      <ErrorState title="The catalogue could not be loaded" error={error} retry={() => void refetch()} />
    );
  }
  const filtered = JSON.stringify(filter) !== JSON.stringify(NO_FILTER);
  return (
    <div className={classes.view}>
      <Filters filter={filter} set={(part) => setFilter({ ...filter, ...part })} />
      <p className={classes.count} aria-live="polite">
        {data ? `${many(found.length, "model")}${filtered ? ` of ${all.length}` : ""}` : " "}
        {filtered && (
          <button type="button" className="cs-link" onClick={() => setFilter(NO_FILTER)}>
            Show all
          </button>
        )}
        {data && (
          <span className={classes.folder} title={data.folder}>
            Files are kept in {data.folder}
          </span>
        )}
      </p>
      <div className={classes.split}>
        {!data ? (
          <div className={classes.list} aria-busy="true">
            {[1, 2, 3, 4, 5, 6, 7, 8].map((each) => (
              <div key={each} className={classes.skeleton} />
            ))}
          </div>
        ) : found.length > 0 ? (
          <List
            entries={found}
            chosen={entry?.name ?? ""}
            choose={setChosen}
            order={order}
            setOrder={setOrder}
          />
        ) : (
          <div className={classes.list}>
            <EmptyState
              icon={<SearchX size={28} />}
              title="No model fits"
              actions={
                <Button variant="default" onClick={() => setFilter(NO_FILTER)}>
                  Show all
                </Button>
              }
            >
              Take a filter away, or try fewer letters.
            </EmptyState>
          </div>
        )}
        <div className={classes.card}>{entry && <CardPanel key={entry.name} entry={entry} manage />}</div>
      </div>
    </div>
  );
}

function Filters({ filter, set }: { filter: Filter; set: (part: Partial<Filter>) => void }) {
  return (
    <div className={classes.filters} role="search" aria-label="Filter of the catalogue">
      <TextInput
        aria-label="Find a model"
        placeholder="Name, author, words of the card"
        leftSection={<Search size={14} />}
        value={filter.text}
        onChange={(event) => set({ text: event.currentTarget.value })}
      />
      <Choice
        label="Task"
        none="Any task"
        value={filter.task}
        data={Object.entries(TASK_NAMES)}
        onChange={(task) => set({ task: task as Task | "" })}
      />
      <Choice
        label="Vocabulary"
        none="Any vocabulary"
        value={filter.vocabulary}
        data={[
          ["fixed", "fixed list of classes"],
          ["zero-shot", "zero-shot: any words"],
        ]}
        onChange={(vocabulary) => set({ vocabulary: vocabulary as Filter["vocabulary"] })}
      />
      <Choice
        label="Licence"
        none="Any licence"
        value={filter.licence}
        data={[
          ["permissive", "permissive"],
          ["restricted", "restricted"],
        ]}
        onChange={(licence) => set({ licence: licence as Filter["licence"] })}
      />
      <Choice
        label="Installed"
        none="Here or not"
        value={filter.installed}
        data={[
          ["here", "on this computer"],
          ["missing", "to be fetched"],
        ]}
        onChange={(installed) => set({ installed: installed as Filter["installed"] })}
      />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  none: string;
  value: string;
  data: [value: string, label: string][];
  onChange: (value: string) => void;
}

function Choice({ label, none, value, data, onChange }: ChoiceProps) {
  return (
    <Select
      aria-label={label}
      data={[{ value: "", label: none }, ...data.map(([each, name]) => ({ value: each, label: name }))]}
      value={value}
      allowDeselect={false}
      onChange={(next) => onChange(next ?? "")}
    />
  );
}

interface ListProps {
  entries: readonly CatalogueEntry[];
  chosen: string;
  choose: (name: string) => void;
  order: Sorting;
  setOrder: (order: Sorting) => void;
}

const HEADS: [by: Sorting | "licence", label: string][] = [
  ["name", "Model"],
  ["licence", "Licence"],
  ["speed", "Speed"],
  ["performance", "Performance"],
  ["size", "Download"],
];

/** Only the rows on screen are elements, however long the catalogue is. */
function List({ entries, chosen, choose, order, setOrder }: ListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  const at = entries.findIndex((entry) => entry.name === chosen);
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at);
  }, [at, rows]);
  const walk = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? ROW) / ROW) - 1);
    const next = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: entries.length - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(entries[Math.min(entries.length - 1, Math.max(0, next))]!.name);
  };
  return (
    <div className={classes.table}>
      <div className={classes.heads}>
        {HEADS.map(([by, label]) =>
          by === "licence" ? (
            <span key={by}>{label}</span>
          ) : (
            <button
              key={by}
              type="button"
              className={by === "size" ? classes.size : undefined}
              aria-pressed={order === by}
              title={order === by ? "Back to the order by task" : `Order by ${label.toLowerCase()}`}
              onClick={() => setOrder(order === by ? "task" : by)}
            >
              {label}
              {order === by && <ArrowDown size={12} aria-hidden />}
            </button>
          ),
        )}
      </div>
      <div
        ref={scroller}
        className={classes.rows}
        role="listbox"
        aria-label="Models of the catalogue"
        tabIndex={0}
        aria-activedescendant={at >= 0 ? `model-${at}` : undefined}
        onKeyDown={walk}
      >
        <div role="presentation" style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map(({ index, start }) => (
            <Row
              key={entries[index]!.name}
              id={`model-${index}`}
              entry={entries[index]!}
              top={start}
              selected={index === at}
              choose={choose}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  id: string;
  entry: CatalogueEntry;
  top: number;
  selected: boolean;
  choose: (name: string) => void;
}

function Row({ id, entry, top, selected, choose }: RowProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus and names its active option
    <div
      id={id}
      role="option"
      aria-selected={selected}
      className={classes.row}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => choose(entry.name)}
    >
      <div className={classes.names}>
        <strong className="cs-truncate">{entry.name}</strong>
        <small className="cs-truncate">
          {[entry.tasks.map((task) => TASK_NAMES[task]).join(", "), vocabularyOf(entry)]
            .filter(Boolean)
            .join(" · ")}
        </small>
      </div>
      {entry.licences.length > 0 ? (
        <small
          className={`cs-truncate ${classes.restricted}`}
          title={`Restricted: ${entry.licences.join(", ")}`}
        >
          {licenceName(entry.licences[0]!)}
        </small>
      ) : (
        <small className="cs-truncate">{entry.licence}</small>
      )}
      <Rating of="speed" value={entry.speed} />
      <Rating of="performance" value={entry.performance} />
      <small className={classes.size}>{downloadSize(entry)}</small>
      <State entry={entry} />
    </div>
  );
}

function State({ entry }: { entry: CatalogueEntry }) {
  if (entry.installed && entry.licence_due)
    return <Lock size={15} color="var(--cs-warn)" aria-label="its licence must be accepted" />;
  if (entry.installed)
    return <CircleCheck size={15} color="var(--cs-accent)" aria-label="on this computer" />;
  return <Download size={15} color="var(--cs-faint)" aria-label="to be fetched" />;
}
