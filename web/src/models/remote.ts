/** Models behind a URL as entries beside the others. */
import { useQuery } from "@tanstack/react-query";
import { api, type CatalogueModel, keys, type RemoteModel, type RemoteModelList } from "~/api";
import { asEntry } from "./catalogue";

export const remoteKey = [...keys.models, "remote"] as const;

export function useRemoteModels() {
  return useQuery({
    queryKey: remoteKey,
    queryFn: async ({ signal }) => (await api.get<RemoteModelList>("/remote-models", { signal })).items,
  });
}

/** Under the reference by which a run takes it. */
export function remoteEntry({ reference, card }: RemoteModel): CatalogueModel {
  return { ...asEntry(card), name: reference, origin: "own" };
}

const PREFIX = "remote:";

/** Whether a model is one that the workspace knows behind a URL. */
export function isRemote(reference: string): boolean {
  return reference.startsWith(PREFIX);
}

/** Its name as people gave it. */
export function remoteName(reference: string): string {
  return isRemote(reference) ? reference.slice(PREFIX.length) : reference;
}
