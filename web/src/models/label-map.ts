import { useQuery } from "@tanstack/react-query";
import { api, keys, type LabelMap } from "~/api";

/** Below the project's classes: what changes those changes what is suggested. */
export const mapKey = (projectId: number, model: string) => [...keys.classes(projectId), "map", model];

/** The map that a project keeps for a model, or what is suggested by name. */
export function useLabelMap(projectId: number, model: string) {
  return useQuery({
    queryKey: mapKey(projectId, model),
    queryFn: ({ signal }) =>
      api.get<LabelMap>(`/projects/${projectId}/label-map`, { params: { model }, signal }),
    enabled: model !== "",
    retry: false,
  });
}
