import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, type FieldCheck, keys, useFields, useRuns } from "~/api";
import { isFieldName, nextName } from "./plan";

/** The name of the new field: suggested from the model until somebody types; checked while typing. */
export function useFieldName(projectId: number, stem: string) {
  const fields = useFields(projectId).data;
  const runs = useRuns(projectId).data;
  const [typed, setTyped] = useState<string | null>(null);
  const suggested = useMemo(
    () =>
      nextName(stem, [...(fields ?? []).map((each) => each.name), ...(runs ?? []).map((each) => each.field)]),
    [stem, fields, runs],
  );
  const name = typed ?? suggested;
  const [settled] = useDebouncedValue(name, 120);
  const { data } = useQuery({
    queryKey: [...keys.fields(projectId), "check", settled],
    queryFn: ({ signal }) =>
      api.get<FieldCheck>(`/projects/${projectId}/fields/check`, { params: { name: settled }, signal }),
    enabled: settled !== "",
    staleTime: 0,
  });
  const known = settled === name && name !== "" ? data : undefined;
  return {
    name,
    set: setTyped,
    free: known?.free ?? false,
    problem: fieldProblem(name, known),
  };
}

/** In one line: nothing shall move while somebody types. */
function fieldProblem(name: string, known: FieldCheck | undefined): string {
  if (name === "") return "A run needs a field to write into.";
  if (!known || known.free) return "";
  if (!isFieldName(name)) return "A letter first; then letters, digits, _ - or .";
  return "There is a field of this name already.";
}
