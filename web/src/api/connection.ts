/** Whether the server can be reached and whether it knows us. Set by every request and by the event stream. */
import { create } from "zustand";

interface Connection {
  /** False from the first request that got no answer until one gets through. */
  online: boolean;
  /** True when the server does not know this browser (any more): a new link is needed. */
  locked: boolean;
  setOnline(online: boolean): void;
  setLocked(locked: boolean): void;
}

export const useConnection = create<Connection>()((set, get) => ({
  online: true,
  locked: false,
  setOnline: (online) => get().online !== online && set({ online }),
  setLocked: (locked) => get().locked !== locked && set({ locked }),
}));
