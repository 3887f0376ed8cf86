import { Autocomplete, Loader } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type FamilyModels } from "~/api";

interface Props {
  /** Such as `timm`. */
  family: string;
  value: string;
  onChange: (value: string) => void;
  label?: string;
  ariaLabel?: string;
  description?: string;
  error?: string;
  loading?: boolean;
}

const MOST = 50;

/** The name of a model of a family, found by typing parts of it; what follows a `?` are options. */
export function FamilyModelInput(props: Props) {
  const { family, value, onChange, loading } = props;
  const name = value.split("?")[0]!.trim();
  const [settled] = useDebouncedValue(name, 150);
  // The names are asked of a process that takes seconds to start: not before somebody wants them.
  const [wanted, setWanted] = useState(false);
  const { data, isFetching } = useQuery({
    queryKey: ["family-models", family, settled],
    queryFn: ({ signal }) =>
      api.get<FamilyModels>(`/families/${encodeURIComponent(family)}/models`, {
        params: { text: settled, limit: MOST },
        signal,
      }),
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    retry: false,
  });
  return (
    <Autocomplete
      label={props.label}
      aria-label={props.ariaLabel}
      description={props.description}
      placeholder={data?.items[0] ?? (family === "timm" ? "resnet18" : "name")}
      data={value.includes("?") ? [] : (data?.items ?? [])}
      // What comes fits already; words may stand in another order than in the name.
      filter={({ options }) => options}
      maxDropdownHeight={240}
      value={value}
      onChange={onChange}
      rightSection={loading || isFetching ? <Loader size={14} /> : undefined}
      onFocus={() => setWanted(true)}
      // Half a name is no mistake while there are whole ones to choose from.
      error={data?.count && settled !== "" && !data.items.includes(name) ? undefined : props.error}
    />
  );
}
