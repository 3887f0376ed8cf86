import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type MouseEvent,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Label } from "~/api";
import { notifyError } from "~/app/notify";
import { click, idsOf, isSelected, type Selection, toggle } from "~/app/selection";
import type { Skeletons } from "~/ui/LabelOverlay";
import { sight, useTiles } from "./data";
import classes from "./images.module.css";
import { gridShape, moveCursor, pictureSize, rowsOf } from "./layout";
import { Tile } from "./Tile";
import { useLasso } from "./useLasso";

interface Props {
  projectId: number;
  ids: readonly number[];
  /** Fields whose labels are drawn; null: not known yet, the tiles wait. */
  fields: readonly string[] | null;
  zoom: number;
  overlays: boolean;
  /** Which labels the filter is about; the others are not drawn. */
  fits: ((label: Label) => boolean) | null;
  colors: ReadonlyMap<string, string>;
  skeletons: Skeletons;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  onOpen: (image: number) => void;
  /** The list changes with this: then the grid begins at its top again. */
  listKey: string;
  busy: boolean;
}

/** Where each list was left, so that coming back from the editor shows the same tiles. */
const places = new Map<string, { top: number; cursor: number }>();

/** Whether somebody was further down in a list, and so will be again. */
export function leftBelow(listKey: string): boolean {
  return (places.get(listKey)?.top ?? 0) > 0;
}

/** The tiles of all images that fit, of which only those in sight exist. */
export function Grid(props: Props) {
  const { projectId, ids, fields, zoom, overlays, colors, selection, onSelect, onOpen, listKey } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const base = useId();
  const width = useWidth(scroller);
  const shape = useMemo(() => gridShape(width, zoom, ids.length), [width, zoom, ids.length]);
  const picture = useMemo(() => pictureSize(shape), [shape]);
  const rows = useVirtualizer({
    count: width ? rowsOf(shape) : 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => shape.stepY,
    paddingStart: shape.padding,
    paddingEnd: 64,
    overscan: useSettled(listKey) ? 2 : 0,
    initialOffset: places.get(listKey)?.top ?? 0,
  });
  const [cursor, setCursor] = useState(places.get(listKey)?.cursor ?? 0);
  const [anchor, setAnchor] = useState<number | null>(null);
  const [draft, setDraft] = useState<Selection | null>(null);
  const shown = draft ?? selection;

  const inSight = rows.getVirtualItems();
  const first = (inSight[0]?.index ?? 0) * shape.columns;
  const last = Math.min(ids.length, ((inSight.at(-1)?.index ?? -1) + 1) * shape.columns) - 1;
  const tiles = useTiles(projectId, ids, first, last, fields);
  useEffect(() => {
    if (tiles.error) notifyError("Some images could not be loaded", tiles.error);
  }, [tiles.error]);

  useEffect(() => {
    const height = scroller.current?.clientHeight ?? 0;
    if (height > 0 && shape.stepY > 0) sight.tiles = Math.ceil(height / shape.stepY) * shape.columns;
  }, [shape]);

  useStayingPut(rows, shape, scroller);
  const seen = useRef(listKey);
  useEffect(() => {
    if (seen.current === listKey) return;
    seen.current = listKey;
    rows.scrollToOffset(0);
    setCursor(0);
    setAnchor(null);
  }, [listKey, rows]);
  useEffect(() => {
    const element = scroller.current;
    return () => void places.set(listKey, { top: element?.scrollTop ?? 0, cursor });
  }, [listKey, cursor]);
  useEffect(() => scroller.current?.focus({ preventScroll: true }), []);

  const lasso = useLasso(
    scroller,
    shape,
    (indices, add) => {
      const touched = indices.map((index) => ids[index]!);
      setDraft({ all: false, ids: new Set(add ? [...idsOf(selection, ids), ...touched] : touched) });
    },
    () => {
      setDraft((found) => {
        if (found) queueMicrotask(() => onSelect(found));
        return null;
      });
    },
  );

  const press = (event: MouseEvent) => {
    if (lasso.swallowsClick()) return;
    const target = event.target as HTMLElement;
    const tile = target.closest<HTMLElement>("[data-index]");
    if (!tile) return onSelect({ all: false, ids: new Set() });
    const index = Number(tile.dataset.index);
    const id = ids[index];
    if (id === undefined) return;
    setCursor(index);
    if (target.closest("[data-open]")) return onOpen(id);
    if (!event.shiftKey) setAnchor(index);
    if (target.closest("[data-check]")) return onSelect(toggle(selection, ids, id));
    onSelect(
      click(
        selection,
        ids,
        index,
        { shift: event.shiftKey, mod: event.ctrlKey || event.metaKey },
        anchor ?? cursor,
      ),
    );
  };

  const key = (event: KeyboardEvent) => {
    if (event.altKey || event.target !== scroller.current) return;
    const height = scroller.current?.clientHeight ?? 0;
    const to = moveCursor(event.key, cursor, shape, Math.floor(height / shape.stepY));
    if (to !== null && !event.ctrlKey && !event.metaKey) {
      setCursor(to);
      rows.scrollToIndex(Math.floor(to / shape.columns), { align: "auto" });
      if (event.shiftKey) onSelect(click(selection, ids, to, { shift: true, mod: false }, anchor ?? cursor));
      if (!event.shiftKey || anchor === null) setAnchor(event.shiftKey ? cursor : to);
    } else if (event.key === " ") {
      const id = ids[cursor];
      if (id !== undefined) onSelect(toggle(selection, ids, id));
      setAnchor(cursor);
    } else if (event.key === "Enter") {
      const id = ids[cursor];
      if (id !== undefined) onOpen(id);
    } else return;
    event.preventDefault();
  };

  const found = [];
  for (let index = first; index <= last; index += 1) {
    const id = ids[index]!;
    const row = Math.floor(index / shape.columns);
    found.push(
      <Tile
        key={id}
        id={`${base}-${index}`}
        index={index}
        project={projectId}
        image={id}
        found={tiles.images.get(id)}
        left={shape.padding + (index % shape.columns) * shape.stepX}
        top={shape.padding + row * shape.stepY}
        width={shape.width}
        height={shape.height}
        picture={picture}
        selected={isSelected(shown, id)}
        focused={index === cursor}
        colors={colors}
        skeletons={props.skeletons}
        overlays={overlays}
        fits={props.fits}
        total={ids.length}
      />,
    );
  }
  const { rect } = lasso;
  return (
    <div
      ref={scroller}
      className={classes.grid}
      role="listbox"
      aria-label="Images"
      aria-multiselectable="true"
      aria-activedescendant={ids.length ? `${base}-${cursor}` : undefined}
      aria-busy={props.busy}
      tabIndex={0}
      onKeyDown={key}
      onClick={press}
      onDoubleClick={(event) => {
        const tile = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
        const id = tile && ids[Number(tile.dataset.index)];
        if (id) onOpen(id);
      }}
      {...lasso.handlers}
    >
      <div className={classes.canvas} style={{ height: rows.getTotalSize() }}>
        {found}
        {rect && (
          <div
            className={classes.lasso}
            style={{
              transform: `translate(${Math.min(rect.x0, rect.x1)}px, ${Math.min(rect.y0, rect.y1)}px)`,
              width: Math.abs(rect.x1 - rect.x0),
              height: Math.abs(rect.y1 - rect.y0),
            }}
          />
        )}
      </div>
    </div>
  );
}

/** Of a new list the tiles in sight come first: those beyond are drawn when they are there. */
const SETTLED_MS = 300;

function useSettled(listKey: string): boolean {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(listKey), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [listKey]);
  return settled === listKey;
}

function useWidth(ref: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const read = () => setWidth(element.clientWidth);
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** When tiles change their size, what was in the upper row stays in sight. */
function useStayingPut(
  rows: { measure: () => void; scrollToOffset: (offset: number) => void },
  shape: ReturnType<typeof gridShape>,
  scroller: React.RefObject<HTMLElement | null>,
): void {
  const before = useRef(shape);
  const measure = useCallback(() => {
    const old = before.current;
    before.current = shape;
    if (old.stepY === shape.stepY && old.columns === shape.columns) return;
    const row = ((scroller.current?.scrollTop ?? 0) - old.padding) / old.stepY;
    rows.measure();
    if (row > 0 && old.count === shape.count) {
      rows.scrollToOffset(shape.padding + ((row * old.columns) / shape.columns) * shape.stepY);
    }
  }, [rows, shape, scroller]);
  useLayoutEffect(measure, [measure]);
}
