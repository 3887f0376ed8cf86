/** How the grid looks, remembered in this browser: tile size, sidebar, which fields are drawn. */
import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import { LARGEST, SMALLEST } from "./layout";

interface GridSettings {
  zoom: number;
  sidebar: boolean;
  overlays: boolean;
  setZoom(zoom: number): void;
  setSidebar(open: boolean): void;
  setOverlays(shown: boolean): void;
}

export const useGridSettings = create<GridSettings>()(
  persist(
    (set) => ({
      zoom: 176,
      sidebar: window.innerWidth > 1000,
      overlays: true,
      setZoom: (zoom) => set({ zoom: Math.round(Math.min(LARGEST, Math.max(SMALLEST, zoom))) }),
      setSidebar: (sidebar) => set({ sidebar }),
      setOverlays: (overlays) => set({ overlays }),
    }),
    { name: "countersign.grid", version: 1, storage: createJSONStorage(() => localStorage) },
  ),
);
