/** Models behind a URL: what is said of them in the form, and as entries beside the others. */
import { useQuery } from "@tanstack/react-query";
import { api, type CatalogueModel, keys, type RemoteModel, type RemoteModelList } from "~/api";
import { asEntry, type Task } from "./catalogue";
import { splitList } from "./classes";

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

export const CONTRACTS: Record<string, string> = {
  countersign: "Countersign (serve-model)",
  plain: "Plain: POST the image",
  "label-studio": "Label Studio ML backend",
  cvat: "CVAT function (nuclio)",
  "x-anylabeling": "X-AnyLabeling-Server",
  supervisely: "Supervisely serving app",
};

/** What the form holds; `more` is JSON with the keys that have no field of their own. */
export interface RemoteForm {
  url: string;
  contract: string;
  model: string;
  description: string;
  tasks: Task[];
  classes: string;
  zeroShot: boolean;
  secret: string;
  more: string;
}

export const NEW_REMOTE: RemoteForm = {
  url: "",
  contract: "countersign",
  model: "",
  description: "",
  tasks: [],
  classes: "",
  zeroShot: false,
  secret: "",
  more: "",
};

const FIELDS = ["url", "contract", "model", "description", "tasks", "classes", "zero_shot"];
const HIDDEN = [...FIELDS, "has_secret", "card", "secret"];

/** A kept specification in the form. Defaults are left out of the JSON, so that it says what is unusual. */
export function formOf(spec: Readonly<Record<string, unknown>>): RemoteForm {
  const rest = Object.entries(spec).filter(([key]) => !HIDDEN.includes(key));
  const { classes } = spec;
  return {
    url: String(spec.url ?? ""),
    contract: String(spec.contract ?? "countersign"),
    model: String(spec.model ?? ""),
    description: String(spec.description ?? ""),
    tasks: (spec.tasks as Task[] | undefined) ?? [],
    classes: (Array.isArray(classes) ? classes : Object.values(classes ?? {})).join("\n"),
    zeroShot: spec.zero_shot === true,
    secret: "",
    more: rest.length ? JSON.stringify(Object.fromEntries(rest), null, 2) : "",
  };
}

/** What is sent. Throws an Error in words where `more` is no JSON object. A secret that is not typed is not sent. */
export function specOf(form: RemoteForm): Record<string, unknown> {
  let more: unknown = {};
  try {
    more = form.more.trim() ? JSON.parse(form.more) : {};
  } catch {
    more = null;
  }
  if (!more || typeof more !== "object" || Array.isArray(more))
    throw new Error('The further settings are no JSON object, such as {"timeout_s": 20}.');
  return {
    ...more,
    url: form.url.trim(),
    contract: form.contract,
    model: form.model.trim(),
    description: form.description,
    tasks: form.tasks,
    classes: splitList(form.classes),
    zero_shot: form.zeroShot,
    ...(form.secret ? { secret: form.secret } : {}),
  };
}
