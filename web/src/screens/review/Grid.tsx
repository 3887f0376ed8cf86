import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type PointerEvent,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { click, type GridShape, lasso, NOTHING, type Picked, placesIn, type Rect } from "./picking";
import classes from "./review.module.css";

interface Props {
  /** Name for screen readers. */
  label: string;
  count: number;
  idAt: (place: number) => number | undefined;
  /** Least width of a tile; tiles share what is left over. */
  size: number;
  /** What a tile has below its picture. */
  foot: number;
  /** Height of the picture, as a part of its width. */
  aspect: number;
  picked: Picked;
  onPick: (picked: Picked) => void;
  onOpen: (place: number) => void;
  /** Called near the end of the list. */
  onEnd: () => void;
  /** Scroll to the top when it changes. */
  edition: number;
  /** Told how many tiles stand beside each other. */
  onColumns: (columns: number) => void;
  tile: (place: number, side: number) => ReactNode;
  after?: ReactNode;
}

const GAP = 8;
const PAD = 16;
/** So long a finger rests to pick one more. */
const HOLD_MS = 450;

interface Drag {
  /** Where it began, in the coordinates of the content. */
  x: number;
  y: number;
  base: Picked;
  moved: boolean;
}

/** Equal tiles in rows, only those in sight drawn. Picks by click, shift, mod and lasso; keys are the screen's affair. */
export function Grid(props: Props) {
  const { count, size, foot, aspect, picked, edition } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const id = useId();
  const width = useWidth(scroller);
  const inner = Math.max(0, width - 2 * PAD);
  const columns = Math.max(1, Math.floor((inner + GAP) / (size + GAP)));
  const side = Math.max(1, Math.floor((inner + GAP) / columns) - GAP);
  const rows = Math.ceil(count / columns);
  const tall = Math.round(side * aspect) + foot;
  const shape: GridShape = { columns, width: side + GAP, height: tall + GAP, count };
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => shape.height,
    overscan: 2,
    paddingStart: PAD,
    paddingEnd: PAD,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows are measured anew when they get another height
  useLayoutEffect(() => virtual.measure(), [shape.height, virtual]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new list begins at its top
  useLayoutEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
  }, [edition]);
  const { onColumns, onEnd } = props;
  useEffect(() => onColumns(columns), [columns, onColumns]);

  const seen = virtual.getVirtualItems();
  const last = seen.at(-1)?.index ?? -1;
  useEffect(() => {
    if (width > 0 && last >= rows - 4) onEnd();
  }, [last, rows, width, onEnd]);

  const cursorRow = picked.cursor < 0 ? -1 : Math.floor(picked.cursor / columns);
  useEffect(() => {
    if (cursorRow >= 0) virtual.scrollToIndex(cursorRow, { align: "auto" });
  }, [cursorRow, virtual]);

  const [box, lassoHandlers] = useLasso(props, shape, content, scroller);
  const active = picked.cursor >= 0 ? `${id}-${picked.cursor}` : undefined;
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      role="listbox"
      aria-label={props.label}
      aria-multiselectable
      aria-activedescendant={active}
      tabIndex={0}
      {...lassoHandlers}
    >
      <div ref={content} className={classes.content} style={{ height: virtual.getTotalSize() }}>
        {width > 0 &&
          seen.map((row) => (
            <div
              key={row.key}
              role="presentation"
              className={classes.row}
              style={{ transform: `translateY(${row.start}px)`, left: PAD, gap: GAP }}
            >
              {Array.from({ length: Math.min(columns, count - row.index * columns) }, (_, i) => {
                const place = row.index * columns + i;
                const own = props.idAt(place);
                if (own === undefined) return null;
                return (
                  <div
                    key={own}
                    id={`${id}-${place}`}
                    role="option"
                    tabIndex={-1}
                    aria-selected={picked.ids.has(own)}
                    data-cursor={place === picked.cursor || undefined}
                    className={classes.cell}
                    style={{ width: side, height: tall }}
                  >
                    {props.tile(place, side)}
                  </div>
                );
              })}
            </div>
          ))}
        {box && (
          <div
            className={classes.lasso}
            style={{
              left: box.left,
              top: box.top,
              width: box.right - box.left,
              height: box.bottom - box.top,
            }}
          />
        )}
      </div>
      {props.after}
    </div>
  );
}

function useWidth(ref: React.RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** A press and a move pick what lies in the rectangle; a press alone is a click. Near the edge it scrolls on. */
function useLasso(
  props: Props,
  shape: GridShape,
  content: React.RefObject<HTMLDivElement | null>,
  scroller: React.RefObject<HTMLDivElement | null>,
) {
  const [box, setBox] = useState<Rect | null>(null);
  const drag = useRef<Drag | null>(null);
  const hold = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(hold.current), []);
  const latest = useRef(props.picked);
  latest.current = props.picked;
  const touched = useRef(false);
  const at = (event: { clientX: number; clientY: number }) => {
    const frame = content.current!.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };
  const inGrid = (rect: Rect): Rect => ({
    left: rect.left - PAD,
    right: rect.right - PAD,
    top: rect.top - PAD,
    bottom: rect.bottom - PAD,
  });
  const placeAt = (x: number, y: number) =>
    placesIn(inGrid({ left: x, right: x, top: y, bottom: y }), shape, GAP)[0] ?? -1;

  const down = (event: PointerEvent) => {
    if (event.button !== 0 || (event.target as HTMLElement).closest("button, a")) return;
    if (event.target === scroller.current && event.nativeEvent.offsetX > scroller.current.clientWidth) return;
    const { x, y } = at(event);
    const keep = event.shiftKey || event.ctrlKey || event.metaKey;
    drag.current = { x, y, base: keep ? props.picked : NOTHING, moved: false };
    touched.current = event.pointerType === "touch";
    if (event.pointerType !== "touch") return;
    // A finger scrolls, so it cannot draw a lasso; held still it picks one more.
    clearTimeout(hold.current);
    hold.current = setTimeout(() => {
      const place = placeAt(x, y);
      if (!drag.current || place < 0) return;
      drag.current = null;
      props.onPick(click(latest.current, place, { shift: false, mod: true }, props.idAt));
    }, HOLD_MS);
  };
  const move = (event: PointerEvent) => {
    const begun = drag.current;
    if (!begun || event.pointerType === "touch") return;
    const { x, y } = at(event);
    if (!begun.moved && Math.hypot(x - begun.x, y - begun.y) < 5) return;
    if (!begun.moved) (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    begun.moved = true;
    const rect: Rect = {
      left: Math.min(x, begun.x),
      right: Math.max(x, begun.x),
      top: Math.min(y, begun.y),
      bottom: Math.max(y, begun.y),
    };
    setBox(rect);
    const picked = lasso(begun.base, placesIn(inGrid(rect), shape, GAP), props.idAt);
    // The cursor stays where it was: the grid scrolls after it otherwise.
    props.onPick({ ...picked, cursor: begun.base.cursor });
    const frame = scroller.current!.getBoundingClientRect();
    if (event.clientY > frame.bottom - 24) scroller.current!.scrollTop += 16;
    if (event.clientY < frame.top + 24) scroller.current!.scrollTop -= 16;
  };
  const up = (event: PointerEvent) => {
    const begun = drag.current;
    drag.current = null;
    clearTimeout(hold.current);
    setBox(null);
    if (!begun || begun.moved) return;
    const { x, y } = at(event);
    const place = placeAt(x, y);
    const more = event.pointerType === "touch" && props.picked.ids.size > 1;
    const held = { shift: event.shiftKey, mod: event.ctrlKey || event.metaKey || more };
    if (place < 0) {
      if (!held.shift && !held.mod) props.onPick(NOTHING);
    } else props.onPick(click(props.picked, place, held, props.idAt));
  };
  const handlers = {
    onPointerDown: down,
    onPointerMove: move,
    onPointerUp: up,
    onPointerCancel: () => {
      drag.current = null;
      clearTimeout(hold.current);
      setBox(null);
    },
    onDoubleClick: (event: React.MouseEvent) => {
      const { x, y } = at(event);
      const place = placeAt(x, y);
      if (place >= 0) props.onOpen(place);
    },
    onDragStart: (event: React.DragEvent) => event.preventDefault(),
    onContextMenu: (event: React.MouseEvent) => touched.current && event.preventDefault(),
  };
  return [box, handlers] as const;
}
