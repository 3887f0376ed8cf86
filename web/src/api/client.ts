/** Requests to the server: JSON both ways, cookies, errors as `ApiError`, another try when the network was away. */
import { useConnection } from "./connection";
import { errorOf, isAbort, NetworkError } from "./errors";

export const BASE = "/api/v1";

export type Params = Record<
  string,
  string | number | boolean | null | undefined | readonly (string | number)[]
>;

export interface Options {
  params?: Params;
  body?: unknown;
  signal?: AbortSignal;
  /** How often to try again when no answer came. Default: 2 for GET, 0 for the rest, which might have been done. */
  retries?: number;
}

/** Address of something on the server; lists become repeated parameters, what is empty is left out. */
export function url(path: string, params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value)) for (const each of value) search.append(name, String(each));
    else if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

/** Ask the server. Throws ApiError (it said no), NetworkError (it said nothing) or AbortError. */
export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const { params, body, signal } = options;
  const retries = options.retries ?? (method === "GET" ? 2 : 0);
  const init: RequestInit = {
    method,
    signal,
    credentials: "same-origin",
    headers: { Accept: "application/json" },
  };
  if (body instanceof FormData) init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "Content-Type": "application/json" };
  }
  const answer = await fetchPatiently(url(path, params), init, retries);
  if (!answer.ok) {
    const error = await errorOf(answer);
    if (answer.status === 401) useConnection.getState().setLocked(true);
    throw error;
  }
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

async function fetchPatiently(address: string, init: RequestInit, retries: number): Promise<Response> {
  const { setOnline } = useConnection.getState();
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await fetch(address, init);
      setOnline(true);
      return answer;
    } catch (error) {
      if (isAbort(error)) throw error;
      if (attempt >= retries) {
        setOnline(false);
        throw new NetworkError(error);
      }
      await pause(300 * 2 ** attempt, init.signal ?? undefined);
    }
  }
}

/** Wait; an abort ends it at once with AbortError. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(new DOMException("not wanted any more", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

type NoBody = Omit<Options, "body">;

/** `api.get<Image>("/images/7")`, `api.post<Run>("/projects/1/runs", { body })`. Types are those of `./generated`. */
export const api = {
  get: <T>(path: string, options?: NoBody) => request<T>("GET", path, options),
  post: <T>(path: string, options?: Options) => request<T>("POST", path, options),
  put: <T>(path: string, options?: Options) => request<T>("PUT", path, options),
  patch: <T>(path: string, options?: Options) => request<T>("PATCH", path, options),
  delete: <T = void>(path: string, options?: Options) => request<T>("DELETE", path, options),
};
