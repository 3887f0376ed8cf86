/**
 * Which images, as data and as the text that the server (and the command line) reads:
 * `text~cell split=train field=auto_1 class=RBC,WBC confidence=0.3..0.7`. Values with blanks or quotes are quoted as in
 * a shell. The server's `domain/query.py` has the same terms.
 */

export type LabelStateName = "verified" | "proposed" | "promoted" | "rejected";
export const LABEL_STATES: readonly LabelStateName[] = ["verified", "proposed", "promoted", "rejected"];

export interface ImageQuery {
  text: string;
  names: string[];
  ids: number[];
  splits: string[];
  tags: string[];
  withoutTags: string[];
  /** Images with a label in this field that fits classes, confidence and states. */
  field: string;
  classes: string[];
  /** 0..1; null: open. */
  low: number | null;
  high: number | null;
  states: LabelStateName[];
  /** Fields that the image has a label in; `withoutLabels`: has none in. */
  withLabels: string[];
  withoutLabels: string[];
  file: "" | "ok" | "missing";
}

export const ALL_IMAGES: Readonly<ImageQuery> = {
  text: "",
  names: [],
  ids: [],
  splits: [],
  tags: [],
  withoutTags: [],
  field: "",
  classes: [],
  low: null,
  high: null,
  states: [],
  withLabels: [],
  withoutLabels: [],
  file: "",
};

/** Split text into words as a shell does: blanks part, quotes join, a backslash takes the next sign as it is. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let begun = false;
  let quote = "";
  for (let i = 0; i < text.length; i += 1) {
    const sign = text[i]!;
    if (quote) {
      if (sign === quote) quote = "";
      else if (sign === "\\" && quote === '"' && /["\\]/.test(text[i + 1] ?? "")) word += text[++i]!;
      else word += sign;
    } else if (sign === "'" || sign === '"') {
      quote = sign;
      begun = true;
    } else if (sign === "\\") {
      word += text[++i] ?? "";
      begun = true;
    } else if (/\s/.test(sign)) {
      if (begun) words.push(word);
      word = "";
      begun = false;
    } else {
      word += sign;
      begun = true;
    }
  }
  if (begun) words.push(word);
  return words;
}

/** Quote one word where a shell would need it. */
export function shellQuote(word: string): string {
  return word && !/[^\w@%+=:,./~-]/u.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

const list = (value: string) => value.split(",").filter(Boolean);

/** Read a query. Terms that are not understood are passed over: the server says what is wrong with them. */
export function parseQuery(text: string): ImageQuery {
  const query = structuredClone(ALL_IMAGES) as ImageQuery;
  for (const term of shellWords(text)) {
    const [, key = "", value = ""] = /^(text(?=~)|[^=~]*)[=~](.*)$/s.exec(term) ?? ["", "text", term];
    if (value) apply(query, key, value);
  }
  return query;
}

function apply(query: ImageQuery, key: string, value: string): void {
  switch (key) {
    case "text":
      query.text = value;
      break;
    case "name":
      query.names = list(value);
      break;
    case "id":
      query.ids = list(value).map(Number).filter(Number.isInteger);
      break;
    case "split":
      query.splits = list(value);
      break;
    case "tag":
      query.tags = list(value);
      break;
    case "-tag":
      query.withoutTags = list(value);
      break;
    case "field":
      query.field = value;
      break;
    case "class":
      query.classes = list(value);
      break;
    case "state":
      query.states = LABEL_STATES.filter((state) => list(value).includes(state));
      break;
    case "confidence":
      [query.low, query.high] = range(value);
      break;
    case "has":
      query.withLabels = list(value);
      break;
    case "-has":
      query.withoutLabels = list(value);
      break;
    case "file":
      if (value === "ok" || value === "missing") query.file = value;
      break;
    default:
      break;
  }
}

function range(value: string): [number | null, number | null] {
  const [low = "", high = ""] = value.includes("..") ? value.split("..") : ["", value];
  const read = (text: string) => (text && Number.isFinite(Number(text)) ? Number(text) : null);
  return [read(low), read(high)];
}

const plain = (value: number | null) => (value === null ? "" : String(Number(value.toFixed(4))));

/** Write a query; an empty one is the empty text. Equal queries give equal text. */
export function formatQuery(query: Readonly<ImageQuery>): string {
  const terms: string[] = [];
  const add = (key: string, values: readonly (string | number)[]) => {
    if (values.length) terms.push(`${key}=${values.join(",")}`);
  };
  if (query.text) terms.push(`text~${query.text}`);
  add("name", query.names);
  add("id", query.ids);
  add("split", query.splits);
  add("tag", query.tags);
  add("-tag", query.withoutTags);
  add("has", query.withLabels);
  add("-has", query.withoutLabels);
  if (query.file) terms.push(`file=${query.file}`);
  if (query.field) {
    terms.push(`field=${query.field}`);
    add("class", query.classes);
    if (query.low !== null || query.high !== null)
      terms.push(`confidence=${plain(query.low)}..${plain(query.high)}`);
    add("state", query.states);
  }
  return terms.map(shellQuote).join(" ");
}

/** How many of the ways to filter are in use, for a badge. */
export function countFilters(query: Readonly<ImageQuery>): number {
  const lists = [
    query.names,
    query.ids,
    query.splits,
    query.tags,
    query.withoutTags,
    query.classes,
    query.states,
  ];
  return (
    lists.filter((each) => each.length > 0).length +
    Number(query.text !== "") +
    Number(query.low !== null || query.high !== null) +
    Number(query.withLabels.length + query.withoutLabels.length > 0) +
    Number(query.file !== "")
  );
}
