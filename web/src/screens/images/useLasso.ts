import { type PointerEvent, type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { type GridShape, tilesIn } from "~/app/selection";

export interface Rect {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

const FROM = 5; // pixels that a press moves before it is a lasso and no click
const EDGE = 40;

/** A rectangle drawn over the tiles with the mouse or a pen. `onChange` gets the tiles it touches, `onEnd` when it is done. */
export function useLasso(
  scroller: RefObject<HTMLElement | null>,
  shape: GridShape,
  onChange: (tiles: number[], add: boolean) => void,
  onEnd: () => void,
) {
  const [rect, setRect] = useState<Rect | null>(null);
  const drag = useRef<{
    x0: number;
    y0: number;
    clientX: number;
    clientY: number;
    live: boolean;
    add: boolean;
  } | null>(null);
  const latest = useRef({ shape, onChange, onEnd });
  latest.current = { shape, onChange, onEnd };
  const justEnded = useRef(false);

  const update = useCallback(() => {
    const box = scroller.current?.getBoundingClientRect();
    const now = drag.current;
    if (!box || !now || !scroller.current) return;
    const x1 = now.clientX - box.left;
    const y1 = now.clientY - box.top + scroller.current.scrollTop;
    const next = { x0: now.x0, y0: now.y0, x1, y1 };
    setRect(next);
    latest.current.onChange(tilesIn(latest.current.shape, next), now.add);
  }, [scroller]);

  // Near the upper or lower edge the grid scrolls along.
  const live = rect !== null;
  useEffect(() => {
    if (!live) return;
    let frame = requestAnimationFrame(function step() {
      const box = scroller.current?.getBoundingClientRect();
      const now = drag.current;
      if (box && now && scroller.current) {
        const past = Math.min(0, now.clientY - box.top - EDGE) + Math.max(0, now.clientY - box.bottom + EDGE);
        if (past) {
          scroller.current.scrollTop += past / 3;
          update();
        }
      }
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [live, scroller, update]);

  const end = () => {
    const was = drag.current?.live ?? false;
    drag.current = null;
    setRect(null);
    if (!was) return;
    justEnded.current = true;
    setTimeout(() => {
      justEnded.current = false;
    });
    latest.current.onEnd();
  };

  const handlers = {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0 || event.pointerType === "touch" || !scroller.current) return;
      const box = scroller.current.getBoundingClientRect();
      if (event.clientX > box.left + scroller.current.clientWidth) return; // the scroll bar
      drag.current = {
        x0: event.clientX - box.left,
        y0: event.clientY - box.top + scroller.current.scrollTop,
        clientX: event.clientX,
        clientY: event.clientY,
        live: false,
        add: event.ctrlKey || event.metaKey || event.shiftKey,
      };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const now = drag.current;
      if (!now) return;
      if (!(event.buttons & 1)) return end();
      if (!now.live && Math.hypot(event.clientX - now.clientX, event.clientY - now.clientY) < FROM) return;
      if (!now.live) event.currentTarget.setPointerCapture(event.pointerId);
      drag.current = { ...now, clientX: event.clientX, clientY: event.clientY, live: true };
      update();
    },
    onPointerUp: end,
    onPointerCancel: end,
  };
  /** Whether the click that comes now belongs to a lasso that has just ended. */
  const swallowsClick = () => justEnded.current;
  return { rect, handlers, swallowsClick };
}
