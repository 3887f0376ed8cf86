/** What the server says of the models that can be used, and downloads of them that are under way. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { create } from "zustand";
import {
  api,
  type CatalogueList,
  type CatalogueModel,
  keys,
  type ModelCard,
  type Operation,
  useOperations,
} from "~/api";
import { notifyError } from "~/app/notify";
import { isRunning, useOperation } from "~/transfer/useOperation";
import { asEntry } from "./catalogue";

/** All models: those of the workspace, the catalogue's, files of one's own. Filtered here: there are some hundreds. */
export function useCatalogue() {
  return useQuery({
    queryKey: keys.catalogue,
    queryFn: ({ signal }) => api.get<CatalogueList>("/catalogue", { signal }),
    staleTime: 60_000,
  });
}

/** One model with all that is known of it. */
export function useCatalogueModel(name: string) {
  return useQuery({
    queryKey: [...keys.catalogue, "model", name],
    queryFn: ({ signal }) => api.get<CatalogueModel>("/catalogue/model", { params: { model: name }, signal }),
    enabled: name !== "",
    staleTime: 60_000,
    retry: false,
  });
}

/** The card of a model that is named by a reference, as `timm:resnet18`. */
export function useReferenceCard(reference: string) {
  return useQuery({
    queryKey: ["model-card", reference],
    queryFn: async ({ signal }) =>
      asEntry(await api.get<ModelCard>("/models/card", { params: { model: reference }, signal })),
    enabled: reference !== "",
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Downloads that somebody has seen under way: how they end is told, until it is put away. Older ends are not news. */
const useFollowed = create<{ ids: ReadonlySet<string> }>()(() => ({ ids: new Set() }));

const follow = (id: string) =>
  useFollowed.setState(({ ids }) => (ids.has(id) ? { ids } : { ids: new Set([...ids, id]) }));
const putAway = (id: string) =>
  useFollowed.setState(({ ids }) => ({ ids: new Set([...ids].filter((each) => each !== id)) }));

/** Fetch a model's files, and follow that: a download goes on while dialogs close, screens change or the page is loaded again. */
export function usePull(name: string) {
  const client = useQueryClient();
  const { data: all } = useOperations(null);
  const followed = useFollowed((state) => state.ids);
  const latest = all?.find((each) => each.kind === "pull" && each.about === name);
  const running = latest !== undefined && isRunning(latest);
  const id = latest && (running || followed.has(latest.id)) ? latest.id : null;
  const { data: operation } = useOperation(id);
  useEffect(() => {
    if (running) follow(latest.id);
  }, [running, latest?.id]);
  const start = async (acceptLicence = false) => {
    const body = { model: name, accept_licence: acceptLicence };
    const made = await api.post<Operation>("/catalogue/pull", { body });
    follow(made.id);
    if (acceptLicence)
      client.setQueryData<CatalogueList>(
        keys.catalogue,
        (list) =>
          list && {
            ...list,
            items: list.items.map((each) => (each.name === name ? { ...each, licence_due: false } : each)),
          },
      );
    client.setQueryData(["operation", made.id], made);
    client.setQueryData<Operation[]>(keys.operations(null), (before) => [
      made,
      ...(before ?? []).filter((each) => each.id !== made.id),
    ]);
  };
  const cancel = () =>
    api
      .delete<Operation>(`/operations/${id}`)
      .catch((error) => notifyError("The download could not be cancelled", error));
  const forget = () => id && putAway(id);
  return { operation: id ? (operation ?? latest) : undefined, start, cancel, forget };
}
