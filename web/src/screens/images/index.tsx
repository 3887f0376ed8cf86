import { ActionIcon, Button, Select, Slider, Tooltip } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import {
  Download,
  FilterX,
  FolderInput,
  Images,
  PanelLeft,
  SearchX,
  Sparkles,
  SquareDashed,
  Upload,
} from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { ApiError, type Field, type Label, NetworkError, useFields, useProject } from "~/api";
import { ALL_IMAGES, countFilters, type ImageQuery } from "~/api/image-query";
import { usePaletteActions } from "~/app/palette-store";
import { paths } from "~/app/routes";
import { EVERYTHING, NOTHING, selectionSize } from "~/app/selection";
import { useShortcuts } from "~/app/shortcuts";
import { SORTS, type Sort, targetOf, useView } from "~/app/view";
import { type Dropped, ExportDialog, ImportDialog, useFileDrop } from "~/transfer";
import { useColors, useSkeletons } from "~/ui/colors";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { count, many } from "~/ui/format";
import { useFacets, useImageList } from "./data";
import { Grid, leftBelow } from "./Grid";
import classes from "./images.module.css";
import { LARGEST, SMALLEST } from "./layout";
import { type Panel, SelectionBar } from "./SelectionBar";
import { Sidebar } from "./Sidebar";
import styles from "./screen.module.css";
import { useGridSettings } from "./settings";
import { imagesShortcuts } from "./shortcuts";

const NO_IDS: readonly number[] = [];
const NO_FIELDS: readonly string[] = [];
const WORDS: Record<Sort, string> = {
  id: "Oldest first",
  "-id": "Newest first",
  name: "Name",
  "-name": "Name, backwards",
  confidence: "Least confident",
  "-confidence": "Most confident",
};

/** All images of a project as a grid, what to filter them by, what to do with those that are selected. */
export default function ImagesScreen({ projectId }: { projectId: number }) {
  const { view, change } = useView();
  const [, go] = useLocation();
  const search = useSearch();
  const project = useProject(projectId);
  const settings = useGridSettings();
  const colors = useColors(projectId);
  const skeletons = useSkeletons(projectId);
  const { facets } = useFacets(projectId, view.query);
  const searchField = useRef<HTMLInputElement>(null);
  const [panel, setPanel] = useState<Panel>(null);
  const [dialog, setDialog] = useState<"import" | "export" | null>(null);
  const [dropped, setDropped] = useState<Dropped[]>();
  const gone = project.error instanceof ApiError && project.error.status === 404;
  const drop = useFileDrop(
    (files) => {
      setDropped(files);
      setDialog("import");
    },
    dialog === null && !gone,
  );
  useDocumentTitle(project.data ? `${project.data.name} · Countersign` : "Countersign");

  const known = useFields(projectId);
  const drawn = useMemo(() => fieldsToDraw(view.query.field, known.data), [view.query.field, known.data]);
  const fields = known.isError ? NO_FIELDS : drawn;
  const listKey = `${projectId} ${view.text} ${view.sort}`;
  const whole = leftBelow(listKey);
  const { list, first, busy } = useImageList(projectId, view.text, view.sort, fields, whole);
  // While the server is away, what was there stays: the list of before is better than none.
  const before = useRef(NO_IDS);
  if (list.data) before.current = list.data;
  const away = list.error instanceof NetworkError && before.current.length > 0;
  const ids = first ?? list.data ?? (away ? before.current : NO_IDS);
  const fits = useMemo(() => labelTest(view.query), [view.query]);
  // The tiles of before stay as they are until the new ones are here: to draw them by the new filter would be for nothing.
  const arrived = first !== undefined || list.data === undefined || !list.isPlaceholderData;
  const shown = useRef({ projectId, ids, fields, fits, listKey });
  if (arrived || shown.current.projectId !== projectId)
    shown.current = { projectId, ids, fields, fits, listKey };
  const size = selectionSize(view.selection, ids.length);
  const open = (image: number) => go(paths.image(projectId, image, search));
  const filters = countFilters(view.query) + Number(view.query.field !== "");
  const autoLabel = () => go(`${paths.runs(projectId)}?${search ? `${search}&` : ""}new=1`);
  const reset = () => change({ query: { ...ALL_IMAGES } });

  useShortcuts(imagesShortcuts, {
    search: () => {
      settings.setSidebar(true);
      requestAnimationFrame(() => searchField.current?.focus());
    },
    sidebar: () => settings.setSidebar(!settings.sidebar),
    all: () => change({ selection: ids.length ? EVERYTHING : NOTHING }),
    none: () => (size > 0 ? change({ selection: NOTHING }) : false),
    larger: () => settings.setZoom(settings.zoom * 1.2),
    smaller: () => settings.setZoom(settings.zoom / 1.2),
    tag: () => (size > 0 ? setPanel("tags") : false),
    split: () => (size > 0 ? setPanel("split") : false),
    reset,
  });
  usePaletteActions([
    {
      id: "images-import",
      group: "Images",
      label: "Import images or labels",
      run: () => setDialog("import"),
    },
    { id: "images-export", group: "Images", label: "Export labels", run: () => setDialog("export") },
    {
      id: "images-all",
      group: "Images",
      label: "Select all that the filter shows",
      keys: "mod+a",
      run: () => change({ selection: EVERYTHING }),
    },
    { id: "images-reset", group: "Images", label: "Clear all filters", keys: "shift+f", run: reset },
    {
      id: "images-auto",
      group: "Images",
      label: "Auto label these images",
      words: "run model",
      run: autoLabel,
    },
  ]);

  let body = (
    <Grid
      {...shown.current}
      zoom={settings.zoom}
      overlays={settings.overlays}
      colors={colors}
      skeletons={skeletons}
      selection={view.selection}
      onSelect={(selection) => change({ selection })}
      onOpen={open}
      busy={busy}
    />
  );
  const broken = (away ? null : list.error) ?? (project.data ? null : project.error);
  if (broken) {
    const retry = () => void Promise.all([list.refetch(), project.refetch()]);
    body = (
      <div className={styles.center}>
        <ErrorState
          title={gone ? "This project is not here" : "The images could not be loaded"}
          error={gone ? new Error("It may have been deleted, or the link is of another workspace.") : broken}
          retry={gone ? undefined : retry}
          actions={
            project.error ? (
              <Button variant="default" onClick={() => go(paths.projects())}>
                All projects
              </Button>
            ) : filters > 0 ? (
              <Button variant="default" onClick={reset}>
                Clear all filters
              </Button>
            ) : undefined
          }
        />
      </div>
    );
  } else if ((!list.data && !first && !away) || !project.data) {
    body = <GridSkeleton />;
  } else if (ids.length === 0) {
    body = (
      <div className={styles.center}>
        {project.data.images === 0 ? (
          <EmptyState
            icon={<Images size={32} />}
            title="No images yet"
            actions={
              <Button leftSection={<FolderInput size={14} />} onClick={() => setDialog("import")}>
                Import images
              </Button>
            }
          >
            Choose a folder on the server, or drop files here from your computer. Labels that lie beside the
            images come along.
          </EmptyState>
        ) : (
          <EmptyState
            icon={<SearchX size={32} />}
            title="No image fits the filter"
            actions={
              <Button variant="default" leftSection={<FilterX size={14} />} onClick={reset}>
                Clear all filters
              </Button>
            }
          >
            The project has {many(project.data.images, "image")}. Take a condition away on the left, or begin
            anew.
          </EmptyState>
        )}
      </div>
    );
  }

  return (
    <div className={styles.screen} {...drop.handlers}>
      <h1 className="cs-hidden">Images of {project.data?.name ?? "the project"}</h1>
      {settings.sidebar && !gone && (
        <Sidebar
          projectId={projectId}
          query={view.query}
          colors={colors}
          onChange={(query) => change({ query }, { replace: isTyping(view.query.text, query.text) })}
          searchRef={searchField}
        />
      )}
      <div className={styles.stage}>
        <div className={styles.toolbar} hidden={gone}>
          <Tooltip label={settings.sidebar ? "Hide the filters (F)" : "Show the filters (F)"}>
            <ActionIcon
              aria-label="Filters"
              aria-pressed={settings.sidebar}
              onClick={() => settings.setSidebar(!settings.sidebar)}
            >
              <PanelLeft size={16} />
            </ActionIcon>
          </Tooltip>
          <div className={styles.counts} role="status">
            {list.data && project.data && (
              <>
                <strong>{count(list.data.length)}</strong>
                {filters > 0
                  ? ` of ${many(project.data.images, "image")} `
                  : ` ${list.data.length === 1 ? "image" : "images"} `}
              </>
            )}
            {filters > 0 && list.data && (
              <button type="button" className={classes.clear} onClick={reset}>
                Clear all filters
              </button>
            )}
          </div>
          <Select
            aria-label="Order"
            w={148}
            data={SORTS.filter((sort) => view.query.field || !sort.endsWith("confidence")).map((sort) => ({
              value: sort,
              label: WORDS[sort],
            }))}
            value={view.sort}
            onChange={(sort) => sort && change({ sort: sort as Sort })}
            allowDeselect={false}
            comboboxProps={{ shadow: "md" }}
          />
          <Tooltip label={settings.overlays ? "Hide the labels" : "Show the labels"}>
            <ActionIcon
              aria-label="Labels on the images"
              aria-pressed={settings.overlays}
              onClick={() => settings.setOverlays(!settings.overlays)}
            >
              <SquareDashed size={16} />
            </ActionIcon>
          </Tooltip>
          <Slider
            className={styles.zoom}
            thumbLabel="Tile size"
            label={null}
            size={4}
            thumbSize={14}
            min={SMALLEST}
            max={LARGEST}
            value={settings.zoom}
            onChange={settings.setZoom}
          />
          <div className={styles.verbs}>
            <Button variant="default" leftSection={<Upload size={14} />} onClick={() => setDialog("import")}>
              Import
            </Button>
            <Button
              variant="default"
              leftSection={<Download size={14} />}
              onClick={() => setDialog("export")}
            >
              Export
            </Button>
            <Button
              variant="default"
              leftSection={<Sparkles size={14} />}
              disabled={ids.length === 0}
              onClick={autoLabel}
            >
              Auto label
            </Button>
          </div>
        </div>
        <div className={styles.body}>
          {body}
          {size > 0 && (
            <SelectionBar
              projectId={projectId}
              view={view}
              size={size}
              facets={facets}
              panel={panel}
              onPanel={setPanel}
              onClear={() => change({ selection: NOTHING })}
              onExport={() => setDialog("export")}
            />
          )}
        </div>
      </div>
      {drop.over && <div className={styles.dropHint}>Drop to import into this project</div>}
      <ImportDialog
        projectId={projectId}
        opened={dialog === "import"}
        onClose={() => {
          setDialog(null);
          setDropped(undefined);
        }}
        files={dropped}
      />
      <ExportDialog
        projectId={projectId}
        opened={dialog === "export"}
        onClose={() => setDialog(null)}
        target={targetOf(view)}
        targetSize={size || (filters ? ids.length : null)}
      />
    </div>
  );
}

/** Whether a text is only being typed on: the way back leads to before it was begun, not letter by letter. */
function isTyping(before: string, now: string): boolean {
  return before !== "" && now !== "" && before !== now;
}

/** Which labels of the field a filter is about, as a test; null: all. */
function labelTest({ classes, states, low, high }: ImageQuery): ((label: Label) => boolean) | null {
  if (!classes.length && !states.length && low === null && high === null) return null;
  const [wanted, allowed] = [new Set(classes), new Set<string>(states)];
  return (label) => {
    const sure = label.confidence;
    if (low !== null && (sure === null || sure < low)) return false;
    if (high !== null && (sure === null || sure > high)) return false;
    return (!classes.length || wanted.has(label.class_name)) && (!states.length || allowed.has(label.state));
  };
}

/** The field that is filtered by, else the verified labels, else the newest. */
function fieldsToDraw(chosen: string, known: readonly Field[] | undefined): readonly string[] | null {
  if (chosen) return [chosen];
  if (!known) return null; // not known yet
  const names = known.filter((each) => each.labels > 0).map((each) => each.name);
  if (names.length === 0) return NO_FIELDS;
  return [names.includes("ground_truth") ? "ground_truth" : (names.at(-1) ?? "")];
}

function GridSkeleton() {
  return (
    <div className={styles.skeleton} aria-busy="true">
      {Array.from({ length: 24 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <div key={i} />
      ))}
    </div>
  );
}
