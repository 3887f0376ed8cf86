/** What the server says of the models that can be used, and downloads of them that are under way. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { create } from "zustand";
import { api, type CatalogueList, type CatalogueModel, keys, type ModelCard, type Operation } from "~/api";
import { notifyError } from "~/app/notify";
import { useOperation } from "~/transfer/useOperation";
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

/** Downloads by the model's name: they go on while dialogs close and screens change. */
const usePulls = create<{ of: Readonly<Record<string, string>> }>()(() => ({ of: {} }));

const remember = (name: string, operation: string | undefined) =>
  usePulls.setState(({ of: { [name]: _, ...rest } }) => ({
    of: operation ? { ...rest, [name]: operation } : rest,
  }));

/** Fetch a model's files, and follow that. */
export function usePull(name: string) {
  const client = useQueryClient();
  const id = usePulls((state) => state.of[name]) ?? null;
  const { data: operation } = useOperation(id);
  const start = async (acceptLicence = false) => {
    const body = { model: name, accept_licence: acceptLicence };
    const made = await api.post<Operation>("/catalogue/pull", { body });
    client.setQueryData(["operation", made.id], made);
    remember(name, made.id);
  };
  const cancel = () =>
    api
      .delete<Operation>(`/operations/${id}`)
      .catch((error) => notifyError("The download could not be cancelled", error));
  return { operation: id ? operation : undefined, start, cancel, forget: () => remember(name, undefined) };
}
