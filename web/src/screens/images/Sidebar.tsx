import { Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { Search, X } from "lucide-react";
import { type Ref, useEffect, useState } from "react";
import type { Facets } from "~/api";
import { ALL_IMAGES, type ImageQuery, LABEL_STATES, type LabelStateName } from "~/api/image-query";
import { later } from "~/ui/later";
import { ClassFilter } from "./ClassFilter";
import { useAsking, useFacets, useFieldHistogram } from "./data";
import { Facet, flip, Section, withChosen } from "./Facet";
import classes from "./images.module.css";

const ConfidenceRange = later(
  async () => (await import("~/ui/ConfidenceRange")).ConfidenceRange,
  () => true,
  90,
);

interface Props {
  projectId: number;
  query: ImageQuery;
  colors: ReadonlyMap<string, string>;
  onChange: (query: ImageQuery) => void;
  searchRef: Ref<HTMLInputElement>;
}

/** Everything there is to filter by, with what each choice would show. */
export function Sidebar({ projectId, query, colors, onChange, searchRef }: Props) {
  const { facets } = useFacets(projectId, query);
  const set = (part: Partial<ImageQuery>) => onChange({ ...query, ...part });
  const filtered = facets !== undefined && facets.images < facets.total;
  return (
    <aside className={classes.sidebar} aria-label="Filters">
      <div className={classes.section}>
        <TextFilter value={query.text} onChange={(text) => set({ text })} inputRef={searchRef} />
      </div>
      <LabelSections {...{ projectId, query, colors, facets, set }} />
      <Presence query={query} facets={facets} set={set} />
      <Chosen
        title="Split"
        items={facets?.splits.filter((each) => each.name) ?? []}
        chosen={query.splits}
        onChange={(splits) => set({ splits })}
        empty={
          !facets
            ? ""
            : filtered
              ? "None on these images."
              : "No image has a split yet. Select images and press S to set one."
        }
      />
      <Tags query={query} facets={facets} set={set} />
      {(query.file || facets?.file_states.some((each) => each.name === "missing" && each.count > 0)) && (
        <Section title="File" onClear={query.file ? () => set({ file: "" }) : undefined}>
          <Facet
            name="missing"
            count={facets?.file_states.find((each) => each.name === "missing")?.count ?? 0}
            checked={query.file === "missing"}
            onClick={() => set({ file: query.file ? "" : "missing" })}
          />
        </Section>
      )}
    </aside>
  );
}

type Set = (part: Partial<ImageQuery>) => void;

function LabelSections(props: {
  projectId: number;
  query: ImageQuery;
  colors: ReadonlyMap<string, string>;
  facets: Facets | undefined;
  set: Set;
}) {
  const { query, colors, facets, set } = props;
  const fields = facets?.fields ?? [];
  const states = facets?.states.filter((each) => each.count > 0) ?? [];
  return (
    <>
      <Section title="Labels in field" onClear={query.field ? () => set(NO_LABELS) : undefined}>
        <Select
          aria-label="Field"
          placeholder={fields.length ? "Any" : facets ? "No labels yet" : " "}
          disabled={fields.length === 0 && !query.field}
          data={fields.map((each) => each.name)}
          value={query.field || null}
          onChange={(field) => set({ ...NO_LABELS, field: field ?? "" })}
          clearable
          clearButtonProps={{ "aria-label": "Any field" }}
          comboboxProps={{ shadow: "md" }}
        />
        {!query.field && fields.length > 0 && (
          <p className={classes.hint}>Choose a field to filter by class, confidence and state.</p>
        )}
      </Section>
      {query.field && (fields.length > 0 || query.classes.length > 0) && (
        <>
          <ClassFilter
            classes={facets?.classes ?? []}
            chosen={query.classes}
            colors={colors}
            onChange={(chosen) => set({ classes: chosen })}
          />
          <Confidence {...props} />
          {(states.length > 1 || query.states.length > 0) && (
            <Section
              title="State"
              counts="labels"
              onClear={query.states.length ? () => set({ states: [] }) : undefined}
            >
              {LABEL_STATES.filter((state) => states.some((each) => each.name === state)).map((state) => (
                <Facet
                  key={state}
                  name={state}
                  count={states.find((each) => each.name === state)?.count ?? 0}
                  checked={query.states.includes(state)}
                  onClick={() => set({ states: flip(query.states, state) as LabelStateName[] })}
                />
              ))}
            </Section>
          )}
        </>
      )}
    </>
  );
}

const NO_LABELS: Partial<ImageQuery> = { field: "", classes: [], states: [], low: null, high: null };

function Confidence({ projectId, query, set }: { projectId: number; query: ImageQuery; set: Set }) {
  const { data } = useFieldHistogram(projectId, query);
  const [range, setRange] = useState<[number, number]>([query.low ?? 0, query.high ?? 1]);
  useEffect(() => setRange([query.low ?? 0, query.high ?? 1]), [query.low, query.high]);
  const commit = useDebouncedCallback(
    ([low, high]: [number, number]) => set({ low: low > 0 ? low : null, high: high < 1 ? high : null }),
    120,
  );
  const any = data?.some((each) => each > 0) ?? false;
  const chosen = query.low !== null || query.high !== null;
  if (!any && !chosen) return null;
  return (
    <Section title="Confidence" onClear={chosen ? () => set({ low: null, high: null }) : undefined}>
      <ConfidenceRange
        value={range}
        histogram={data}
        onChange={(next) => {
          setRange(next);
          commit(next);
        }}
      />
    </Section>
  );
}

/** For each field: images with labels in it, without, or either. */
function Presence({
  query,
  facets,
  set,
}: {
  query: ImageQuery;
  facets: FacetsWithBase | undefined;
  set: Set;
}) {
  const fields = facets?.fields ?? [];
  const used = query.withLabels.length + query.withoutLabels.length > 0;
  if (!fields.length && !used) return null;
  const choose = (name: string, where: "with" | "without") => {
    const mine = where === "with" ? query.withLabels : query.withoutLabels;
    const other = (where === "with" ? query.withoutLabels : query.withLabels).filter((each) => each !== name);
    const next = flip(mine, name);
    set(
      where === "with"
        ? { withLabels: next, withoutLabels: other }
        : { withoutLabels: next, withLabels: other },
    );
  };
  return (
    <Section title="Labelled" onClear={used ? () => set({ withLabels: [], withoutLabels: [] }) : undefined}>
      {fields.map((each) => (
        <div key={each.name}>
          <Facet
            name={`has ${each.name}`}
            count={each.images_with}
            checked={query.withLabels.includes(each.name)}
            onClick={() => choose(each.name, "with")}
          />
          <Facet
            name={`no ${each.name}`}
            count={Math.max(0, (facets?.fieldsBase ?? 0) - each.images_with)}
            checked={query.withoutLabels.includes(each.name)}
            onClick={() => choose(each.name, "without")}
          />
        </div>
      ))}
    </Section>
  );
}

type FacetsWithBase = Facets & { fieldsBase: number };

function Tags({ query, facets, set }: { query: ImageQuery; facets: Facets | undefined; set: Set }) {
  const tags = withChosen(facets?.tags ?? [], [...query.tags, ...query.withoutTags]);
  const used = query.tags.length + query.withoutTags.length > 0;
  /** Not asked for, then wanted, then unwanted. */
  const turn = (name: string) => {
    if (query.tags.includes(name)) {
      set({ tags: query.tags.filter((each) => each !== name), withoutTags: [...query.withoutTags, name] });
    } else if (query.withoutTags.includes(name)) {
      set({ withoutTags: query.withoutTags.filter((each) => each !== name) });
    } else set({ tags: [...query.tags, name] });
  };
  return (
    <Section title="Tags" onClear={used ? () => set({ tags: [], withoutTags: [] }) : undefined}>
      {tags.map((each) => (
        <Facet
          key={each.name}
          name={each.name}
          count={each.count}
          checked={query.tags.includes(each.name)}
          out={query.withoutTags.includes(each.name)}
          onClick={() => turn(each.name)}
        />
      ))}
      {tags.length === 0 && facets && (
        <p className={classes.hint}>
          {facets.images < facets.total
            ? "None on these images."
            : "No tags yet. Select images and press T to give them one."}
        </p>
      )}
      {tags.length > 0 && <p className={classes.hint}>A second click leaves images with the tag out.</p>}
    </Section>
  );
}

function Chosen(props: {
  title: string;
  items: readonly { name: string; count: number }[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
  empty: string;
}) {
  const items = withChosen(props.items, props.chosen);
  return (
    <Section title={props.title} onClear={props.chosen.length ? () => props.onChange([]) : undefined}>
      {items.map((each) => (
        <Facet
          key={each.name}
          name={each.name}
          count={each.count}
          checked={props.chosen.includes(each.name)}
          onClick={() => props.onChange(flip(props.chosen, each.name))}
        />
      ))}
      {items.length === 0 && props.empty && <p className={classes.hint}>{props.empty}</p>}
    </Section>
  );
}

/** A pause in typing that is long enough to look for what stands there. */
const TYPING_MS = 80;

function TextFilter(props: {
  value: string;
  onChange: (text: string) => void;
  inputRef: Ref<HTMLInputElement>;
}) {
  const [text, setText] = useState(props.value);
  // A blank at the end is none of the filter's, but of the word that is being typed.
  useEffect(() => setText((now) => (now.trim() === props.value ? now : props.value)), [props.value]);
  const commit = useDebouncedCallback(props.onChange, TYPING_MS);
  const asking = useAsking();
  const set = (next: string) => {
    setText(next);
    commit(next.trim());
    // A letter waits for the next one only while the list of the one before is still being asked for.
    if (!asking()) commit.flush();
  };
  return (
    <TextInput
      ref={props.inputRef}
      aria-label="Search by name"
      placeholder="Part of the name …"
      leftSection={<Search size={14} />}
      value={text}
      onChange={(event) => set(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        set("");
        event.currentTarget.blur();
      }}
      rightSection={
        text && (
          <button
            type="button"
            className={classes.clear}
            aria-label="Clear the search"
            onClick={() => set("")}
          >
            <X size={14} />
          </button>
        )
      }
    />
  );
}

export function isAll(query: ImageQuery): boolean {
  return JSON.stringify(query) === JSON.stringify(ALL_IMAGES);
}
