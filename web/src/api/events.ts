/** The event stream: what others (people, runs, trainings) do. It reconnects by itself and refreshes what it concerns. */
import type { QueryClient } from "@tanstack/react-query";
import { api, url } from "./client";
import { useConnection } from "./connection";
import type { OperationList, RunList, Event as ServerEvent } from "./generated";
import { keys } from "./queries";

export type { ServerEvent };

type Listener = (event: ServerEvent) => void;
const listeners = new Set<Listener>();

/** Be told of every event, after the caches know it. Returns what ends it. */
export function onServerEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const TYPES = [
  "change",
  "run",
  "training",
  "operation",
  "images",
  "projects",
  "models",
  "classes",
  "fields",
  "worker",
  "reset",
];

/** Connect; returns what disconnects. EventSource gives up on some errors: then this connects again with a growing pause. */
export function connectEvents(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = 500;

  const receive = (message: MessageEvent<string>) => {
    const event = JSON.parse(message.data) as ServerEvent;
    refresh(client, event);
    for (const listener of listeners) listener(event);
  };
  const open = () => {
    source = new EventSource(url("/events"));
    source.onopen = () => {
      wait = 500;
      useConnection.getState().setOnline(true);
    };
    source.onmessage = receive;
    for (const type of TYPES) source.addEventListener(type, receive as EventListener);
    source.onerror = () => {
      useConnection.getState().setOnline(false);
      if (source?.readyState !== EventSource.CLOSED) return;
      source.close();
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 10_000);
    };
  };
  open();
  const unwatch = watchReturn(client);
  return () => {
    clearTimeout(timer);
    source?.close();
    unwatch();
  };
}

/** While the server is away, knock every two seconds; when it is back, what failed meanwhile is asked for again. */
function watchReturn(client: QueryClient): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const knock = () => {
    clearTimeout(timer);
    api.get("/session", { retries: 0 }).catch(() => {
      if (!useConnection.getState().online) timer = setTimeout(knock, 2000);
    });
  };
  const stop = useConnection.subscribe((now, before) => {
    if (now.online === before.online) return;
    clearTimeout(timer);
    if (now.online) void client.invalidateQueries();
    else timer = setTimeout(knock, 2000);
  });
  window.addEventListener("online", knock);
  return () => {
    stop();
    clearTimeout(timer);
    window.removeEventListener("online", knock);
  };
}

/** Bring the caches up to date. Exported for its test. */
export function refresh(client: QueryClient, event: ServerEvent): void {
  const stale = (...key: readonly unknown[]) => void client.invalidateQueries({ queryKey: key });
  switch (event.type) {
    case "change":
      stale(...keys.labels(event.project_id));
      stale(...keys.fields(event.project_id));
      stale(...keys.project(event.project_id));
      stale(...keys.projects);
      break;
    case "run": {
      client.setQueryData(keys.run(event.run.id), event.run);
      let known = false;
      client.setQueryData<RunList["items"]>(keys.runs(event.project_id), (runs) =>
        runs?.map((run) => {
          known ||= run.id === event.run.id;
          return run.id === event.run.id ? event.run : run;
        }),
      );
      if (!known) stale(...keys.runs(event.project_id));
      break;
    }
    case "training":
      client.setQueryData(keys.training(event.training.id), event.training);
      stale(...keys.trainings(event.project_id));
      if (event.training.state === "done") stale(...keys.models);
      break;
    case "operation":
      client.setQueryData(["operation", event.operation.id], event.operation);
      if (event.project_id === null) {
        // A download tells its bytes several times a second: the list is not asked for each time.
        client.setQueryData<OperationList["items"]>(
          keys.operations(null),
          (all) => all && merged(all, event.operation),
        );
        if (event.operation.finished_at !== null) stale(...keys.models);
        break;
      }
      stale(...keys.operations(event.project_id));
      if (event.operation.state === "done") stale(...keys.project(event.project_id));
      break;
    case "images":
      stale(...keys.images(event.project_id));
      stale(...keys.project(event.project_id));
      stale(...keys.projects);
      break;
    case "projects":
    case "models":
      stale(event.type);
      break;
    case "classes":
    case "fields":
      stale(event.type, ...(event.project_id === null ? [] : [event.project_id]));
      break;
    case "reset":
      void client.invalidateQueries();
      break;
    default:
      break;
  }
}

/** A list, newest first, with one of its operations as it is now. */
function merged(all: OperationList["items"], now: OperationList["items"][number]): OperationList["items"] {
  return all.some((each) => each.id === now.id)
    ? all.map((each) => (each.id === now.id ? now : each))
    : [now, ...all];
}
