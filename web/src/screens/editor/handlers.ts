/** What the editor's shortcuts do. */
import type { LabelClass } from "~/api";
import { notifyDone } from "~/app/notify";
import type { Handler } from "~/app/shortcuts";
import type { ToolName } from "~/canvas/tool";
import { many } from "~/ui/format";
import type { Controller } from "./controller";
import type { Place } from "./data";
import { predict } from "./learning/predict";
import type { editorShortcuts } from "./shortcuts";
import { masksFromBoxes } from "./smart/commands";
import { setUi, useUi } from "./ui";

type Id = keyof (typeof editorShortcuts)["shortcuts"];

function paste(controller: Controller): unknown {
  const { clipboard } = useUi.getState();
  if (!clipboard.length || !controller.canEdit()) return false;
  const left = clipboard.length - controller.edits.paste();
  if (left)
    notifyDone(
      `${many(left, "label")} ${left === 1 ? "was" : "were"} not pasted: already there, or it does not fit this image.`,
    );
  return true;
}

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
    smart: tool("smart"),
    maskFromBox: () => masksFromBoxes(controller),
    larger: () => brush(1.25),
    smaller: () => brush(0.8),
    classKey: (event) => {
      const name = numbered(event);
      if (name) controller.edits.chooseClass(name);
    },
    imageClass: (event) => {
      const name = numbered(event);
      if (name) controller.edits.toggleImageClass(name);
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
    undo: () => controller.edits.undo(),
    redo: () => controller.edits.redo(),
    remove: () => controller.edits.remove(),
    duplicate: () => controller.edits.duplicate(),
    copy: () => {
      if (window.getSelection()?.toString() || !controller.edits.copy()) return false;
    },
    paste: () => paste(controller),
    all: () => controller.edits.selectAll(),
    nextLabel: () => (controller.engine?.skipKeypoint() ? undefined : controller.edits.step(1)),
    previousLabel: () => controller.edits.step(-1),
    nudge: (event) => {
      const step = STEPS[event.key];
      const far = event.ctrlKey || event.metaKey ? 10 : 1;
      if (step) controller.edits.nudge(step[0] * far, step[1] * far);
    },
    front: () => controller.edits.order("front"),
    behind: () => controller.edits.order("back"),
    hide: () => controller.edits.toggleHidden(ui().selection),
    hideAll: () => setUi({ allHidden: !ui().allHidden }),
    lock: () => controller.edits.toggleLocked(ui().selection),
    names: () => setUi({ names: !ui().names }),
    fit: () => controller.engine?.fit(),
    actual: () => controller.engine?.actualSize(),
    focus: () => controller.engine?.showShapes(ui().selection),
    zoomIn: () => controller.engine?.zoomBy(1.25),
    zoomOut: () => controller.engine?.zoomBy(0.8),
    finish: () =>
      ui().drawing || !controller.predictions.acceptSelected()
        ? (controller.engine?.tool.finish() ?? false)
        : undefined,
    cancel: () => {
      if (ui().menu || ui().picker) setUi({ menu: null, picker: null });
      else if (!controller.engine?.tool.cancel()) setUi({ selection: [] });
    },
    learning: () => setUi({ learning: !ui().learning, asking: false }),
    ask: () => setUi({ asking: !ui().asking }),
    predict: () => void predict(controller),
    accept: () => void controller.predictions.accept(controller.predictions.shown()),
  };
}
