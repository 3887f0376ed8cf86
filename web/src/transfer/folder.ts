/** Following a typed path: the folder to list, and which of its entries are meant so far. */
import { ApiError, api, type Folder } from "~/api";

export interface Found {
  folder: Folder;
  /** The last part of what was typed, if it is not (yet) a folder's whole name. */
  part: string;
}

/** A path in two: the folder, with its slash, and the rest. */
export function splitPath(path: string): [folder: string, part: string] {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1;
  return [path.slice(0, at), path.slice(at)];
}

/** The entries that begin with what was typed, then those that contain it. */
export function fitting<T extends { name: string }>(entries: readonly T[], part: string): T[] {
  const wanted = part.toLowerCase();
  const begins = (each: T) => each.name.toLowerCase().startsWith(wanted);
  const found = entries.filter((each) => each.name.toLowerCase().includes(wanted));
  return [...found.filter(begins), ...found.filter((each) => !begins(each))];
}

/** The folder of a path; where it is none, the folder that it would lie in. */
export async function follow(path: string, signal?: AbortSignal): Promise<Found> {
  const list = (folder: string) => api.get<Folder>("/folders", { params: { path: folder }, signal });
  try {
    return { folder: await list(path), part: "" };
  } catch (error) {
    const [folder, part] = splitPath(path);
    if (!(error instanceof ApiError) || !folder || !part) throw error;
    return { folder: await list(folder), part };
  }
}
