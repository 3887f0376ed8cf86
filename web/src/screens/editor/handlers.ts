/** What the editor's shortcuts do. */
import type { LabelClass } from "~/api";
import type { Handler } from "~/app/shortcuts";
import type { ToolName } from "~/canvas/tool";
import type { Controller } from "./controller";
import type { Place } from "./data";
import { predict } from "./learning/predict";
import type { editorShortcuts } from "./shortcuts";
import { setUi, useUi } from "./ui";

type Id = keyof (typeof editorShortcuts)["shortcuts"];

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function handlersOf(
  controller: Controller,
  place: Place,
  open: (image: number | null) => unknown,
  leave: () => void,
  labelClasses: readonly LabelClass[],
): Partial<Record<Id, Handler>> {
  const ui = useUi.getState;
  const tool = (name: ToolName) => () => controller.setTool(name);
  const numbered = (event: KeyboardEvent) => labelClasses[(Number(event.code.slice(-1)) + 9) % 10]?.name;
  const brush = (factor: number) => {
    const { brush: now } = ui();
    controller.setBrush(factor > 1 ? Math.max(now + 1, now * factor) : Math.min(now - 1, now * factor));
  };
  return {
    next: () => void open(place.next),
    previous: () => void open(place.previous),
    back: leave,
    select: tool("select"),
    box: tool("box"),
    polygon: tool("polygon"),
    ellipse: tool("ellipse"),
    brush: tool("brush"),
    eraser: tool("eraser"),
    keypoints: tool("keypoints"),
    larger: () => brush(1.25),
    smaller: () => brush(0.8),
    classKey: (event) => {
      const name = numbered(event);
      if (name) controller.chooseClass(name);
    },
    imageClass: (event) => {
      const name = numbered(event);
      if (name) controller.toggleImageClass(name);
    },
    pick: () => {
      const at = ui().cursor;
      const { engine } = controller;
      const size = engine?.stage ?? { width: 0, height: 0 };
      const point =
        at && engine
          ? { x: at.x * engine.view.scale + engine.view.x, y: at.y * engine.view.scale + engine.view.y }
          : { x: size.width / 2, y: size.height / 3 };
      setUi({ picker: { at: point, geometry: null }, menu: null });
    },
    undo: () => controller.undo(),
    redo: () => controller.redo(),
    remove: () => controller.remove(),
    duplicate: () => controller.duplicate(),
    all: () => controller.selectAll(),
    nextLabel: () => (controller.engine?.skipKeypoint() ? undefined : controller.step(1)),
    previousLabel: () => controller.step(-1),
    nudge: (event) => {
      const step = STEPS[event.key];
      if (step) controller.nudge(...step);
    },
    front: () => controller.order("front"),
    behind: () => controller.order("back"),
    hide: () => controller.toggleHidden(ui().selection),
    hideAll: () => setUi({ allHidden: !ui().allHidden }),
    lock: () => controller.toggleLocked(ui().selection),
    names: () => setUi({ names: !ui().names }),
    fit: () => controller.engine?.fit(),
    actual: () => controller.engine?.actualSize(),
    focus: () => controller.engine?.showShapes(ui().selection),
    zoomIn: () => controller.engine?.zoomBy(1.25),
    zoomOut: () => controller.engine?.zoomBy(0.8),
    finish: () => controller.engine?.tool.finish() ?? false,
    cancel: () => {
      if (ui().menu || ui().picker) setUi({ menu: null, picker: null });
      else if (!controller.engine?.tool.cancel()) setUi({ selection: [] });
    },
    learning: () => setUi({ learning: !ui().learning }),
    predict: () => void predict(controller),
    accept: () => void controller.accept(),
  };
}
