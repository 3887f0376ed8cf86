/** What is said of a model behind a URL: as a form holds it, and as the server keeps it. No React. */
import type { Task } from "./catalogue";
import { outputNames } from "./classes";
import { type Step, stepsFrom, stepsTo } from "./steps";

interface Contract {
  label: string;
  /** What its address looks like. */
  url: string;
}

export const CONTRACTS: Record<string, Contract> = {
  countersign: { label: "Countersign (serve-model)", url: "http://HOST:8400/NAME" },
  plain: { label: "Plain: POST the image", url: "https://HOST/predict" },
  "label-studio": { label: "Label Studio ML backend", url: "http://HOST:9090" },
  cvat: { label: "CVAT function (nuclio)", url: "http://HOST:8070" },
  "x-anylabeling": { label: "X-AnyLabeling-Server", url: "http://HOST:8000" },
  supervisely: { label: "Supervisely serving app", url: "http://HOST:8000" },
};

/** What the form holds; `more` is JSON with the keys that have no field of their own. Numbers are as they are typed. */
export interface RemoteForm {
  url: string;
  contract: string;
  model: string;
  description: string;
  tasks: Task[];
  classes: string;
  zeroShot: boolean;
  secret: string;
  pre: readonly Step[];
  post: readonly Step[];
  encoding: string;
  transfer: string;
  boxes: string;
  timeout: number | string;
  retries: number | string;
  concurrency: number | string;
  confidence: number | string;
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
  pre: [],
  post: [],
  encoding: "png",
  transfer: "json",
  boxes: "xyxy",
  timeout: 60,
  retries: 3,
  concurrency: 2,
  confidence: 0.3,
  more: "",
};

/** Keys of the form that are sent as they are, and how the specification calls them. */
const PLAIN = {
  encoding: "encoding",
  transfer: "transfer",
  boxes: "boxes",
  timeout: "timeout_s",
  retries: "retries",
  concurrency: "concurrency",
  confidence: "min_confidence",
} as const;

const FIELDS = ["url", "contract", "model", "description", "tasks", "classes", "zero_shot", "pre", "post"];
const HIDDEN = [...FIELDS, ...Object.values(PLAIN), "has_secret", "card", "secret"];

/** What nobody has said: an empty list or text, a default of the server. Left out of the JSON. */
const USUAL: Readonly<Record<string, unknown>> = { max_response_mb: 64, header: "Authorization" };
const isUsual = (key: string, value: unknown) =>
  value === "" || value === false || value === USUAL[key] || JSON.stringify(value) in { "[]": 1, "{}": 1 };

type Spec = Readonly<Record<string, unknown>>;

/** Whether a list can be typed: one with an empty name, or with a single name that has a comma, would come back as another. */
const isTypable = (classes: unknown) =>
  Array.isArray(classes) && JSON.stringify(outputNames(classes.join("\n"))) === JSON.stringify(classes);

/**
 * A kept specification in the form. Defaults are left out of the JSON, so that it says what is unusual; classes by
 * number, of which some may be missing, stay there, and so does a list that cannot be typed.
 */
export function formOf(spec: Spec): RemoteForm {
  const { classes } = spec;
  const listed = isTypable(classes) || !classes;
  const rest = Object.entries(spec).filter(
    ([key, value]) => (!HIDDEN.includes(key) || (key === "classes" && !listed)) && !isUsual(key, value),
  );
  const plain = Object.fromEntries(
    Object.entries(PLAIN).flatMap(([ours, theirs]) => (theirs in spec ? [[ours, spec[theirs]]] : [])),
  );
  return {
    ...NEW_REMOTE,
    ...plain,
    url: String(spec.url ?? ""),
    contract: String(spec.contract ?? "countersign"),
    model: String(spec.model ?? ""),
    description: String(spec.description ?? ""),
    tasks: (spec.tasks as Task[] | undefined) ?? [],
    classes: Array.isArray(classes) && listed ? classes.join("\n") : "",
    zeroShot: spec.zero_shot === true,
    pre: stepsFrom(spec.pre),
    post: stepsFrom(spec.post),
    more: rest.length ? JSON.stringify(Object.fromEntries(rest), null, 2) : "",
  };
}

/** The further settings. Throws an Error in words where they are no JSON object. */
function moreOf(text: string): Spec {
  let more: unknown = {};
  try {
    more = text.trim() ? JSON.parse(text) : {};
  } catch {
    more = null;
  }
  if (!more || typeof more !== "object" || Array.isArray(more))
    throw new Error('The further settings are no JSON object, such as {"max_response_mb": 20}.');
  return more as Spec;
}

/** What a key is where nothing is said of it; the server refuses null, by the key's name. */
function usualOf(key: string, value: unknown): unknown {
  if (key in USUAL) return USUAL[key];
  if (Array.isArray(value)) return [];
  if (typeof value === "object") return {};
  return { string: "", boolean: false }[typeof value as string] ?? null;
}

/**
 * What is sent; `was` is the specification that the form began with. Throws an Error in words where a step's number is
 * none or `more` is no JSON object. A secret that is not typed is not sent; an empty number is what is usual. So is a
 * key that was taken out of the JSON: the server keeps what it is not told.
 */
export function specOf(form: RemoteForm, was: Spec = {}): Record<string, unknown> {
  const more = moreOf(form.more);
  const began = Object.entries(moreOf(formOf(was).more));
  return {
    ...Object.fromEntries(began.map(([key, value]) => [key, usualOf(key, value)])),
    ...Object.fromEntries(
      Object.entries(PLAIN).map(([ours, theirs]) => {
        const key = ours as keyof typeof PLAIN;
        return [theirs, form[key] === "" ? NEW_REMOTE[key] : form[key]];
      }),
    ),
    url: form.url.trim(),
    contract: form.contract,
    model: form.model.trim(),
    description: form.description,
    tasks: form.tasks,
    classes: outputNames(form.classes),
    zero_shot: form.zeroShot,
    pre: stepsTo(form.pre, "pre"),
    post: stepsTo(form.post, "post"),
    ...more,
    ...(form.secret ? { secret: form.secret } : {}),
  };
}

/** What must be said before it can be kept, in words; empty where all is. */
export function lackingOf(name: string, form: RemoteForm): string {
  if (!name.trim() || !form.url.trim()) return "A name and an address are needed.";
  if (!/^https?:\/\/[^\s/]/.test(form.url.trim())) return "The address begins with http:// or https://.";
  if (form.contract !== "countersign" && form.tasks.length === 0)
    return "Say what the model does: its tasks.";
  return "";
}
