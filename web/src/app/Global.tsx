import { useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useProjects } from "~/api";
import { later } from "~/ui/later";
import { useCurrentProject } from "./current-project";
import { usePalette, usePaletteActions } from "./palette-store";
import { paths } from "./routes";
import { useSheet } from "./sheet-store";
import { globalShortcuts } from "./shortcut-catalogue";
import { useShortcuts } from "./shortcuts";

const loadPalette = async () => (await import("./Palette")).Palette;
const loadSheet = async () => (await import("./ShortcutSheet")).ShortcutSheet;
const Palette = later(loadPalette);
const ShortcutSheet = later(loadSheet);
/** The screen comes first; then these, so that who opens the palette and types at once loses no letter. */
const AFTER_MS = 3000;

/** What works on every screen: shortcuts, palette, sheet. */
export function Global() {
  const [, go] = useLocation();
  const project = useCurrentProject();
  const { data: projects } = useProjects();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("dark");
  const toggle = () => setColorScheme(scheme === "dark" ? "light" : "dark");
  const inProject = (path: (project: number) => string) => () =>
    project === null ? false : go(path(project));

  useShortcuts(globalShortcuts, {
    palette: () => usePalette.getState().setOpen(true),
    sheet: () => useSheet.setState({ open: true }),
    projects: () => go(paths.projects()),
    models: () => go(paths.models()),
    images: inProject(paths.images),
    runs: inProject(paths.runs),
    scheme: toggle,
  });
  usePaletteActions([
    ...(project === null
      ? []
      : [
          {
            id: "go-images",
            group: "Go to",
            label: "Images",
            keys: "g i",
            run: () => go(paths.images(project)),
          },
          { id: "go-runs", group: "Go to", label: "Runs", keys: "g r", run: () => go(paths.runs(project)) },
        ]),
    { id: "go-projects", group: "Go to", label: "Projects", keys: "g p", run: () => go(paths.projects()) },
    { id: "go-models", group: "Go to", label: "Models", keys: "g m", run: () => go(paths.models()) },
    ...(projects ?? []).map((each) => ({
      id: `project-${each.id}`,
      group: "Projects",
      label: each.name,
      words: "project",
      run: () => go(paths.images(each.id)),
    })),
    {
      id: "scheme",
      group: "Look",
      label: scheme === "dark" ? "Light colours" : "Dark colours",
      words: "theme scheme mode",
      keys: "mod+shift+l",
      run: toggle,
    },
    {
      id: "scheme-auto",
      group: "Look",
      label: "Colours as the system has them",
      words: "theme scheme auto",
      run: () => setColorScheme("auto"),
    },
    {
      id: "sheet",
      group: "Help",
      label: "Keyboard and mouse",
      words: "shortcuts",
      keys: "?",
      run: () => useSheet.setState({ open: true }),
    },
  ]);
  const [palette, sheet] = [usePalette((state) => state.open), useSheet((state) => state.open)];
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      {(settled || palette) && <Palette />}
      {(settled || sheet) && <ShortcutSheet />}
    </>
  );
}
