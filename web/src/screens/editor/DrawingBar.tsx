import { Button } from "@mantine/core";
import { KeyHint } from "~/ui/KeyHint";
import { useEditor } from "./context";
import classes from "./editor.module.css";
import { useUi } from "./ui";

/** Buttons do not take the focus from the canvas. */
const stay = (event: React.MouseEvent) => event.preventDefault();

/** What can be done with what is being drawn, or with the selected prediction: for the mouse and for fingers. */
export function DrawingBar() {
  const drawing = useUi((ui) => ui.drawing);
  const smart = useUi((ui) => ui.tool === "smart"); // it has a bar of its own there
  if (smart) return null;
  if (drawing?.tool === "polygon") return <Polygon />;
  return drawing ? <Keypoints /> : <SelectedPrediction />;
}

interface ActProps {
  label: string;
  keys: string;
  primary?: boolean;
  disabled?: boolean;
  pressed?: boolean;
  onClick: () => unknown;
}

function Act({ label, keys, primary = false, disabled = false, pressed, onClick }: ActProps) {
  return (
    <Button
      size="compact-sm"
      variant={primary ? "filled" : pressed ? "light" : "default"}
      rightSection={<KeyHint keys={keys} />}
      aria-pressed={pressed}
      disabled={disabled}
      onMouseDown={stay}
      onClick={onClick}
    >
      {label}
    </Button>
  );
}

function Bar({ text, asked = 0, children }: { text: string; asked?: number; children: React.ReactNode }) {
  return (
    <div className={classes.drawingBar} role="toolbar" aria-label={text} data-testid="drawing-bar">
      <span key={asked} className={asked ? classes.asked : undefined}>
        {text}
      </span>
      {children}
    </div>
  );
}

/** Finish and give up are the same for every shape of several clicks. */
function Ends({ enough }: { enough: boolean }) {
  const { controller } = useEditor();
  return (
    <>
      <Act label="Back" keys="backspace" onClick={() => controller.engine?.back()} />
      <Act label="Give up" keys="escape" onClick={() => controller.engine?.tool.cancel()} />
      <Act
        label="Finish"
        keys="enter"
        primary
        disabled={!enough}
        onClick={() => controller.engine?.tool.finish()}
      />
    </>
  );
}

function Polygon() {
  const drawing = useUi((ui) => ui.drawing);
  if (!drawing) return null;
  const text = drawing.points === 1 ? "1 corner" : `${drawing.points} corners`;
  return (
    <Bar text={text} asked={drawing.asked}>
      <Ends enough={drawing.enough} />
    </Bar>
  );
}

function Keypoints() {
  const { controller } = useEditor();
  const drawing = useUi((ui) => ui.drawing);
  if (!drawing) return null;
  const { points, total, next, hidden, enough, asked } = drawing;
  return (
    <Bar text={total ? `${points + 1} of ${total}: ${next}` : `${points} points`} asked={asked}>
      <Act label="Hidden" keys="alt" pressed={hidden} onClick={() => controller.engine?.hideKeypoint()} />
      {total > 0 && <Act label="Not there" keys="tab" onClick={() => controller.engine?.skipKeypoint()} />}
      <Ends enough={enough} />
    </Bar>
  );
}

function SelectedPrediction() {
  const { controller, readOnly } = useEditor();
  const selection = useUi((ui) => ui.selection);
  const shown = useUi((ui) => ui.showPredictions);
  // What is behind the key is another one when the list changes.
  useUi((ui) => ui.predictions);
  const prediction = shown && selection.length === 1 ? controller.predictions.at(selection[0]!) : undefined;
  if (!prediction) return null;
  const { class_name: name, confidence } = prediction;
  return (
    <Bar text={confidence === null ? name : `${name} ${confidence.toFixed(2)}`}>
      <Act label="Dismiss" keys="delete" onClick={() => controller.predictions.dismissSelected()} />
      <Act
        label="Accept"
        keys="enter"
        primary
        disabled={readOnly}
        onClick={() => controller.predictions.acceptSelected()}
      />
    </Bar>
  );
}
