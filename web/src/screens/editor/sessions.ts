/** One session for each project, for as long as the page lives: what is not saved goes on being sent behind other screens. */
import {
  ApiError,
  api,
  type BatchResult,
  type Label,
  type LabelList,
  NetworkError,
  onServerEvent,
  useConnection,
} from "~/api";
import { openKeep } from "~/editor/keep";
import { newKey } from "~/editor/model";
import { EditorSession } from "~/editor/session";

const opening = new Map<number, Promise<EditorSession>>();
const open = new Map<number, EditorSession>();

export function sessionNow(project: number): EditorSession | null {
  return open.get(project) ?? null;
}

export function openSession(project: number): Promise<EditorSession> {
  let session = opening.get(project);
  if (!session) {
    session = start(project);
    opening.set(project, session);
  }
  return session;
}

async function start(project: number): Promise<EditorSession> {
  const keep = await openKeep(
    project,
    window.localStorage,
    navigator.locks as LockManager | undefined,
    newKey(),
  );
  const session = new EditorSession(
    {
      labels: labelsOf,
      send: (batch) => api.post<BatchResult>(`/projects/${project}/labels/batch`, { body: batch }),
      isAway,
    },
    keep,
  );
  open.set(project, session);
  useConnection.subscribe((now, before) => now.online && !before.online && session.outbox.flush(true));
  onServerEvent((event) => event.type === "reset" && session.outbox.flush(true));
  window.addEventListener("beforeunload", (event) => {
    if (session.saveState.count > 0 && !session.saveState.kept) event.preventDefault();
  });
  session.outbox.flush();
  return session;
}

/** The labels of an image; a field that is not there yet has none. It comes with its first label. */
async function labelsOf(imageId: number, field: string): Promise<readonly Label[]> {
  try {
    return (await api.get<LabelList>(`/images/${imageId}/labels`, { params: { labels: field } })).items;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

/** Whether another try makes sense: no answer, a server in trouble, or one that does not know us until we sign in again. */
function isAway(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  return error instanceof ApiError && (error.status >= 500 || error.status === 401 || error.status === 429);
}
