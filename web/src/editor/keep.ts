/**
 * Keeps what the server does not have yet in the browser's storage, one record for each window. A window that finds the
 * record of one that is gone takes it over: that is how a reload, or a crash, loses nothing.
 */
import type { Keep, Kept } from "./outbox";

const PREFIX = "countersign.unsaved";

/** Storage as a test can give it. */
export type Storage = Pick<globalThis.Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;
export type Locks = Pick<LockManager, "request">;

/** Open the record of this window for a project, with all in it that closed windows have left. */
export async function openKeep(
  project: number,
  storage: Storage,
  locks: Locks | undefined,
  id: string,
): Promise<Keep> {
  const prefix = `${PREFIX}.${project}.`;
  const own = prefix + id;
  // Held for as long as the window is there: others see that its record is not left behind.
  if (locks)
    await new Promise<void>((held) => {
      const forever = () => {
        held();
        return new Promise<never>(() => {});
      };
      void locks.request(own, forever);
    });
  const found: Kept = { batches: [], pending: [] };
  for (const name of namesIn(storage, prefix)) {
    if (name === own) continue;
    const take = () => {
      const kept = parse(storage.getItem(name));
      found.batches.push(...(kept?.batches ?? []));
      found.pending.push(...(kept?.pending ?? []));
      if (write(storage, own, found)) storage.removeItem(name);
    };
    if (!locks) take();
    else await locks.request(name, { ifAvailable: true }, (lock) => void (lock && take()));
  }
  return {
    read: () => (found.batches.length || found.pending.length ? found : null),
    write: (kept) => write(storage, own, kept),
  };
}

function namesIn(storage: Storage, prefix: string): string[] {
  const names: string[] = [];
  for (let i = 0; i < storage.length; i += 1) {
    const name = storage.key(i);
    if (name?.startsWith(prefix)) names.push(name);
  }
  return names;
}

function parse(text: string | null): Kept | null {
  try {
    return text ? (JSON.parse(text) as Kept) : null;
  } catch {
    return null;
  }
}

function write(storage: Storage, name: string, kept: Kept | null): boolean {
  try {
    if (kept) storage.setItem(name, JSON.stringify(kept));
    else storage.removeItem(name);
    return true;
  } catch {
    return kept === null; // no room, or no storage at all (a private window)
  }
}
