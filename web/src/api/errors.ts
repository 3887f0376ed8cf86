/** What went wrong, in the server's own words where it had any: what happened, and what to do. */
import type { Problem } from "./generated";

/** The server answered with an error. `detail` says what happened, `remedy` (may be empty) what to do. */
export class ApiError extends Error {
  readonly status: number;
  readonly kind: string;
  readonly detail: string;
  readonly remedy: string;
  readonly problem: Problem | null;

  constructor(status: number, detail: string, remedy = "", kind = "", problem: Problem | null = null) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
    this.kind = kind;
    this.detail = detail;
    this.remedy = remedy;
    this.problem = problem;
  }
}

/** The server could not be reached at all. */
export class NetworkError extends Error {
  readonly detail = "The server does not answer.";
  readonly remedy = "Check that “countersign serve” still runs, then try again.";

  constructor(cause?: unknown) {
    super("The server does not answer.", { cause });
    this.name = "NetworkError";
  }
}

/** An error in two sentences, for a message to the user. */
export interface Told {
  what: string;
  todo: string;
}

export function tell(error: unknown): Told {
  if (error instanceof ApiError || error instanceof NetworkError) {
    return { what: error.detail, todo: error.remedy };
  }
  if (error instanceof Error) {
    // Errors of other parts may say what to do as well.
    const { remedy } = error as { remedy?: unknown };
    return { what: error.message || error.name, todo: typeof remedy === "string" ? remedy : "" };
  }
  return { what: String(error), todo: "" };
}

/** Whether it is only that the caller did not want it any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Make an error of an answer that is not 2xx. */
export async function errorOf(answer: Response): Promise<ApiError> {
  const type = answer.headers.get("content-type") ?? "";
  if (type.includes("json")) {
    try {
      const problem = (await answer.json()) as Partial<Problem>;
      const invalid = (problem.errors ?? []).map((each) => `${each.where}: ${each.what}`).join("; ");
      const detail = problem.detail || problem.title || `The server answered ${answer.status}.`;
      return new ApiError(
        answer.status,
        invalid ? `${detail} (${invalid})` : detail,
        problem.remedy ?? "",
        problem.kind ?? "",
        problem as Problem,
      );
    } catch {
      // not JSON after all: fall through to the plain message
    }
  }
  const remedy = answer.status >= 500 ? "Try again; if it stays, the server's log says more." : "";
  return new ApiError(
    answer.status,
    `The server answered ${answer.status} ${answer.statusText}.`.trim(),
    remedy,
  );
}
