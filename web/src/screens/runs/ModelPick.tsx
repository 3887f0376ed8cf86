import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Download } from "lucide-react";
import { useState } from "react";
import { type CatalogueEntry, tell } from "~/api";
import { downloadSize, lines, pick, placeOf } from "~/models/catalogue";
import { useReferenceCard } from "~/models/queries";
import { FamilyModelInput } from "~/ui";
import classes from "./runs.module.css";

interface Props {
  label: string;
  /** Those that fit. */
  entries: readonly CatalogueEntry[];
  /** A name of one, or a reference. */
  value: string;
  onChange: (value: string) => void;
  /** Families of which any model can be named. */
  families?: readonly string[];
  error?: string;
  loading?: boolean;
}

const isListed = (entry: CatalogueEntry) => entry.origin === "catalogue" || entry.origin === "fetched";

/** A model: one's own by its name; of the catalogue its line, then version, then size; any other by a reference. */
export function ModelPick({ label, entries, value, onChange, families = [], error, loading }: Props) {
  const [text, setText] = useState("");
  const now = entries.find((entry) => entry.name === value);
  const family = now ? undefined : families.find((name) => value.startsWith(`${name}:`));
  const listed = entries.filter(isListed);
  const own = entries.filter((entry) => !isListed(entry)).toReversed();
  const byLine = lines(listed);
  const place = now && isListed(now) ? placeOf(now) : undefined;
  const all = place ? (byLine.get(place.line) ?? []) : [];
  const chosen = place ? `line ${place.line}` : family ? `family ${family}` : value ? `model ${value}` : null;
  const isReference = !now && !family && value !== "";
  const written = /\w:\S/.test(text) ? text.trim() : isReference ? value : "";
  // The text is the chosen one's name too, and one behind a URL is listed under a reference.
  const typed = entries.some((entry) => entry.name === written) ? "" : written;
  const choose = (next: string | null) => {
    const [kind, name] = [next?.split(" ")[0], next?.slice((next.split(" ")[0] ?? "").length + 1) ?? ""];
    if (kind === "line") onChange(pick(listed, { line: name, size: place?.size })?.name ?? "");
    else if (kind === "family") onChange(`${name}:`);
    else if (kind === "model") onChange(name);
  };
  const groups = [
    { group: "Yours", items: own.map(({ name }) => ({ value: `model ${name}`, label: name })) },
    {
      group: "Catalogue",
      items: [...byLine.keys()].sort().map((line) => ({ value: `line ${line}`, label: line })),
    },
    {
      group: "By name",
      items: [
        ...families.map((name) => ({ value: `family ${name}`, label: `A model of ${name} …` })),
        ...(typed ? [{ value: `model ${typed}`, label: typed }] : []),
      ],
    },
  ].filter(({ items }) => items.length > 0);
  return (
    <>
      <div className={all.length > 1 ? classes.pick : undefined}>
        <Select
          label={label}
          placeholder={entries.length ? "Choose one" : "No model fits"}
          data={groups}
          value={chosen}
          allowDeselect={false}
          searchable
          onSearchChange={setText}
          onChange={choose}
          maxDropdownHeight={280}
          nothingFoundMessage="None here does that. A reference as family:name can be typed."
          renderOption={({ option }) => (
            <Option name={option.label} entries={byLine.get(option.label) ?? []} />
          )}
        />
        {place && all.length > 1 && (
          <>
            <Select
              label="Version"
              data={[...new Set(all.map((entry) => placeOf(entry).version))]}
              value={place.version}
              allowDeselect={false}
              onChange={(version) => version && onChange(pick(all, { ...place, version })?.name ?? value)}
            />
            <Select
              label="Size"
              data={all
                .filter((entry) => placeOf(entry).version === place.version)
                .map((entry) => ({ value: entry.name, label: placeOf(entry).size }))}
              value={value}
              allowDeselect={false}
              onChange={(name) => name && onChange(name)}
              renderOption={({ option }) => (
                <Option
                  name={option.label}
                  entries={all.filter((entry) => entry.name === option.value)}
                  withSize
                />
              )}
            />
          </>
        )}
      </div>
      {family && (
        <FamilyModelInput
          family={family}
          label={`Name of the ${family} model`}
          description="Type to find it. Its card is read when you stop typing; the first time takes some seconds."
          value={value.slice(family.length + 1)}
          onChange={(rest) => onChange(`${family}:${rest}`)}
          loading={loading}
          error={error}
        />
      )}
    </>
  );
}

/** With a sign where all that it stands for must be fetched first. */
function Option({
  name,
  entries,
  withSize,
}: {
  name: string;
  entries: readonly CatalogueEntry[];
  withSize?: boolean;
}) {
  const missing = entries.length > 0 && entries.every((entry) => !entry.installed);
  const size = withSize && entries[0] ? downloadSize(entries[0]) : "";
  return (
    <span className={classes.option}>
      <span className="cs-truncate">{name}</span>
      {missing && (
        <small title="Its files must be fetched first">
          {size && `${size} `}
          <Download size={12} aria-label="to be fetched" />
        </small>
      )}
    </span>
  );
}

/** What is known of a chosen model: from the catalogue, or asked for where it is a reference. */
export function useChosen(entries: readonly CatalogueEntry[], value: string) {
  const listed = entries.find((entry) => entry.name === value);
  const reference = listed || !value.includes(":") || value.endsWith(":") ? "" : value.trim();
  const [settled] = useDebouncedValue(reference, 600);
  const { data, error, isFetching } = useReferenceCard(settled);
  const current = settled === reference && reference !== "";
  return {
    card: listed ?? (current && data && !error ? data : undefined),
    error: current && error ? tell(error).what : "",
    loading: reference !== "" && (isFetching || !current),
  };
}
