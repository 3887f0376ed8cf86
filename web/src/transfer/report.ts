/** What an import or export reports, as a headline and lines. The server's results are JSON without a schema: read with care. */
import type { Operation } from "~/api";
import { many } from "~/ui/format";

export interface ReportLine {
  tone: "skipped" | "changed" | "note";
  text: string;
  count: number;
  examples: string[];
}

type Json = Record<string, unknown>;

const object = (value: unknown): Json =>
  value && typeof value === "object" && !Array.isArray(value) ? (value as Json) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const number = (value: unknown): number => (typeof value === "number" ? value : 0);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

export function reportLines(operation: Pick<Operation, "kind" | "result">): {
  headline: string;
  lines: ReportLine[];
} {
  const result = object(operation.result);
  return operation.kind === "import" ? ofImport(result) : ofExport(result);
}

function ofExport(result: Json): { headline: string; lines: ReportLine[] } {
  const where = text(result.out) ? ` to ${text(result.out)}` : "";
  const headline = `${many(number(result.labels), "label")} on ${many(number(result.images), "image")} written${where}`;
  return { headline, lines: problems(result) };
}

function ofImport(result: Json): { headline: string; lines: ReportLine[] } {
  const images = object(result.images);
  const labels = object(result.labels);
  const added = number(images.added) + number(labels.images_added);
  const parts = [`${many(added, "image")} added`];
  if (number(images.known)) parts.push(`${many(number(images.known), "image")} known before`);
  if (number(images.moved)) parts.push(`${number(images.moved)} at a new place`);
  if (number(labels.labels)) parts.push(`${many(number(labels.labels), "label")} into ${text(labels.field)}`);
  const lines: ReportLine[] = [];
  paths(lines, "skipped", images.refused, "cannot be read as an image");
  paths(lines, "skipped", images.skipped, "not an image");
  paths(lines, "skipped", labels.refused, "cannot be read");
  const duplicates = list(images.duplicates).map(
    (each) => `${text(object(each).path)} is ${text(object(each).same_as)}`,
  );
  if (duplicates.length)
    lines.push({
      tone: "note",
      text: "same content as another file",
      count: duplicates.length,
      examples: duplicates,
    });
  for (const [key, what] of [
    ["missing", "labels name an image that is not here"],
    ["ambiguous", "labels fit several images"],
    ["duplicates", "labels that were there already"],
  ] as const) {
    const value = labels[key];
    const examples = list(value).map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
    const many_ = Array.isArray(value) ? value.length : number(value);
    if (many_)
      lines.push({ tone: key === "duplicates" ? "note" : "skipped", text: what, count: many_, examples });
  }
  lines.push(...problems(object(labels.report)));
  for (const note of list(result.notes))
    lines.push({ tone: "note", text: text(note), count: 1, examples: [] });
  return { headline: parts.join(", "), lines };
}

function paths(lines: ReportLine[], tone: ReportLine["tone"], value: unknown, what: string): void {
  const examples = list(value).map((each) => `${text(object(each).path)}: ${text(object(each).reason)}`);
  if (examples.length) lines.push({ tone, text: what, count: examples.length, examples });
}

function problems(report: Json): ReportLine[] {
  return list(report.problems).map((each) => {
    const problem = object(each);
    const tone = text(problem.severity);
    return {
      tone: tone === "skipped" || tone === "changed" ? tone : "note",
      text: text(problem.reason),
      count: number(problem.count),
      examples: list(problem.examples).map((found) => {
        const { file, where, detail } = object(found);
        return [text(file), text(where) && `(${text(where)})`, text(detail)].filter(Boolean).join(" ");
      }),
    };
  });
}
