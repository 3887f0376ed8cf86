/** Steps before an image is sent to a model behind a URL, and after numbers came back. No React. */

export type When = "pre" | "post";

interface Field {
  key: string;
  label: string;
  placeholder: string;
  /** Several numbers, separated by commas or blanks. */
  list?: boolean;
  whole?: boolean;
  /** What holds where the field is empty; without it something must be said. */
  usual?: number | readonly number[];
}

interface Kind {
  label: string;
  says: string;
  fields: readonly Field[];
}

export const KINDS: Record<When, Record<string, Kind>> = {
  pre: {
    resize: {
      label: "Resize",
      says: "To a size in pixels. Results are scaled back.",
      fields: [
        { key: "width", label: "Width", placeholder: "640", whole: true },
        { key: "height", label: "Height", placeholder: "640", whole: true },
      ],
    },
    bands: {
      label: "Choose bands",
      says: "By number, counted from 0, in the order that the model wants.",
      fields: [{ key: "select", label: "Bands", placeholder: "3, 2, 1", list: true, whole: true }],
    },
    normalise: {
      label: "Normalise",
      says: "(value × scale − mean) / deviation: one number for all bands, or one for each. Travels as TIFF only.",
      fields: [
        { key: "scale", label: "Scale", placeholder: "1", usual: 1 },
        { key: "mean", label: "Mean", placeholder: "0", list: true, usual: [0] },
        { key: "std", label: "Deviation", placeholder: "1", list: true, usual: [1] },
      ],
    },
  },
  post: {
    softmax: {
      label: "Softmax",
      says: "Numbers of classes become probabilities that add up to 1.",
      fields: [],
    },
    sigmoid: { label: "Sigmoid", says: "Each number becomes a probability of its own.", fields: [] },
    threshold: {
      label: "Threshold",
      says: "Values below it count as 0; a map of one channel becomes 1 from it on.",
      fields: [{ key: "value", label: "From", placeholder: "0.5", usual: 0.5 }],
    },
    argmax: { label: "Argmax", says: "Each pixel takes the class with the highest value.", fields: [] },
  },
};

/** A step as it stands in the form: its numbers as they are typed. */
export interface Step {
  step: string;
  said: Readonly<Record<string, string>>;
}

/** Steps as they are kept, in the form. */
export function stepsFrom(kept: unknown): Step[] {
  if (!Array.isArray(kept)) return [];
  return kept.map(({ step, ...values }) => ({
    step: String(step),
    said: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.join(", ") : String(value),
      ]),
    ),
  }));
}

/** Steps of the form as they are sent. Throws an Error that names the field where a number is none. */
export function stepsTo(steps: readonly Step[], when: When): Record<string, unknown>[] {
  return steps.map(({ step, said }) => {
    const kind = KINDS[when][step];
    const made: Record<string, unknown> = { step };
    for (const field of kind?.fields ?? []) made[field.key] = read(said[field.key] ?? "", field, kind!.label);
    return made;
  });
}

function read(text: string, field: Field, step: string): number | readonly number[] {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  if (parts.length === 0 && field.usual !== undefined) return field.usual;
  const numbers = parts.map(Number);
  const wrong = numbers.some((each) => !Number.isFinite(each) || (field.whole && !Number.isInteger(each)));
  if (numbers.length === 0 || wrong || (!field.list && numbers.length > 1)) {
    const what = field.list
      ? "numbers with commas between them"
      : field.whole
        ? "a whole number"
        : "a number";
    throw new Error(`${step}: ${field.label.toLowerCase()} is ${what}, such as ${field.placeholder}.`);
  }
  return field.list ? numbers : numbers[0]!;
}
