/** Sending files with progress. `fetch` cannot tell how much has gone, so this uses XMLHttpRequest. */
import { ApiError, api, NetworkError, pause, type Upload, url } from "~/api";
import { type Dropped, parts } from "./dropped";

export interface UploadProgress {
  files: number;
  bytes: number;
  totalFiles: number;
  totalBytes: number;
}

const TRIES = 4;

/** Send all files into a new upload; returns its id. An abort gives what was sent up again. */
export async function upload(
  project: number,
  files: readonly Dropped[],
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal,
): Promise<string> {
  const made = await api.post<Upload>(`/projects/${project}/uploads`, { signal });
  const totalBytes = files.reduce((sum, each) => sum + each.file.size, 0);
  const progress: UploadProgress = { files: 0, bytes: 0, totalFiles: files.length, totalBytes };
  try {
    for (const part of parts(files)) {
      const size = part.reduce((sum, each) => sum + each.file.size, 0);
      await sendPatiently(
        made.id,
        part,
        (share) => onProgress({ ...progress, bytes: progress.bytes + share * size }),
        signal,
      );
      progress.files += part.length;
      progress.bytes += size;
      onProgress({ ...progress });
    }
  } catch (error) {
    await api.delete(`/uploads/${made.id}`).catch(() => undefined);
    throw error;
  }
  return made.id;
}

async function sendPatiently(
  id: string,
  part: readonly Dropped[],
  onShare: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send(id, part, onShare, signal);
    } catch (error) {
      if (attempt > 1 && error instanceof ApiError && error.status === 409)
        return sendMissing(id, part, signal);
      if (!(error instanceof NetworkError) || attempt >= TRIES) throw error;
      await pause(500 * 2 ** attempt, signal);
    }
  }
}

/** Some of these arrived before the answer was lost: send them one by one, and be content with those that are there. */
async function sendMissing(id: string, part: readonly Dropped[], signal: AbortSignal): Promise<void> {
  for (const each of part) {
    try {
      await send(id, [each], () => undefined, signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
  }
}

function send(
  id: string,
  part: readonly Dropped[],
  onShare: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const form = new FormData();
  for (const { file, path } of part) {
    form.append("files", file, file.name);
    form.append("paths", path);
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url(`/uploads/${id}/files`));
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    request.onerror = () => reject(new NetworkError());
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve();
      const problem = (request.response ?? {}) as { detail?: string; remedy?: string; kind?: string };
      const detail = problem.detail ?? `The server answered ${request.status}.`;
      reject(new ApiError(request.status, detail, problem.remedy ?? "", problem.kind ?? ""));
    };
    const abort = () => {
      request.abort();
      reject(new DOMException("not wanted any more", "AbortError"));
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    request.send(form);
  });
}
