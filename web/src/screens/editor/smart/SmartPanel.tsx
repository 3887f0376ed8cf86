/** The bar of the smart tool above the image: with which model, as what, how far it is, what can be done. */
import { Button, Loader, SegmentedControl, Select } from "@mantine/core";
import { RotateCw, WandSparkles } from "lucide-react";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Link } from "wouter";
import { tell } from "~/api";
import { paths } from "~/app/routes";
import { PullAction } from "~/models/PullAction";
import { count } from "~/ui/format";
import { KeyHint } from "~/ui/KeyHint";
import { useEditor } from "../context";
import { SmartDesk, type SmartState } from "./desk";
import classes from "./smart.module.css";
import { SmartTool } from "./smart-tool";
import { chosen, look, type Output, segment, usePrompted, useSmart } from "./state";

/** Buttons do not take the focus from the canvas. */
const stay = (event: React.MouseEvent) => event.preventDefault();

export default function SmartPanel() {
  const { controller, image, readOnly } = useEditor();
  const { names, suggested, pending, error, refetch } = usePrompted();
  const { model: wish, output } = useSmart();
  const model = chosen(names, wish);
  const desk = useDesk();
  const state = useSyncExternalStore(
    (told) => desk.onChange(told),
    () => desk.state,
  );
  useEffect(() => {
    controller.engine?.install(
      "smart",
      (stage) => new SmartTool(stage, desk, () => useSmart.getState().output),
    );
  }, [controller, desk]);
  useEffect(() => desk.open(readOnly ? null : (image?.id ?? null), model), [desk, image, model, readOnly]);
  useEffect(() => () => desk.open(null, ""), [desk]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tool draws what was chosen
  useEffect(() => controller.engine?.refreshTool(), [controller, output]);

  if (pending) return null;
  if (error) return <Trouble what={tell(error).what} todo={tell(error).todo} retry={() => void refetch()} />;
  if (!model)
    return (
      <section className={classes.none} aria-label="Smart tool" data-testid="smart-bar">
        <WandSparkles size={22} />
        <h3>No model for clicks is here yet</h3>
        <p>
          The smart tool cuts out what you click with a model such as SAM 2.1.
          {suggested ? ` ${suggested.name} also does without a graphics card.` : ""}
        </p>
        {suggested && <PullAction entry={suggested} />}
        <Button component={Link} href={paths.models()} variant="subtle" size="compact-sm">
          See all models
        </Button>
      </section>
    );
  const options: { value: Output; label: string }[] = [
    { value: "mask", label: "Mask" },
    { value: "polygon", label: "Polygon" },
  ];
  return (
    <div className={classes.bar} role="toolbar" aria-label="Smart tool" data-testid="smart-bar">
      <div className={classes.row}>
        <Select
          aria-label="Model that cuts out"
          size="xs"
          w={172}
          data={names}
          value={model}
          allowDeselect={false}
          searchable={names.length > 8}
          comboboxProps={{ position: "top-start", width: 240 }}
          onChange={(next) => {
            if (next) useSmart.setState({ model: next });
            (document.activeElement as HTMLElement | null)?.blur();
          }}
        />
        <SegmentedControl
          aria-label="What is kept"
          size="xs"
          data={options}
          value={output}
          onChange={(next) => useSmart.setState({ output: next as Output })}
        />
        <Status state={state} model={model} />
        <Button
          size="compact-sm"
          variant="default"
          rightSection={<KeyHint keys="escape" />}
          disabled={desk.steps === 0}
          onMouseDown={stay}
          onClick={() => desk.clear()}
        >
          Clear
        </Button>
        <Button
          size="compact-sm"
          rightSection={<KeyHint keys="enter" />}
          disabled={desk.empty || desk.answered?.mask === null || state.problem !== null}
          loading={state.wanted}
          onMouseDown={stay}
          onClick={() => desk.keep()}
        >
          Keep
        </Button>
      </div>
      {state.problem && (
        <div className={classes.problem} role="alert">
          <p>
            {state.problem.what} {state.problem.todo}
          </p>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<RotateCw size={12} />}
            onMouseDown={stay}
            onClick={() => desk.retry()}
          >
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}

/** The desk lives as long as the tool is chosen on this project. */
function useDesk(): SmartDesk {
  const { controller } = useEditor();
  return useMemo(
    () =>
      new SmartDesk({
        look,
        segment,
        tell,
        keep: ({ mask, outline, by }) => {
          const geometry = useSmart.getState().output === "polygon" ? outline : mask;
          const { width, height } = controller.engine?.stage ?? { width: 0, height: 0 };
          if (geometry) controller.create(geometry, { x: width / 2, y: height / 3 }, by);
        },
      }),
    [controller],
  );
}

function Status({ state, model }: { state: SmartState; model: string }) {
  const { answer, phase, prompt, problem } = state;
  const pointed = prompt.points.length + (prompt.box ? 1 : 0);
  return (
    <span className={classes.status} role="status">
      {phase !== "idle" && !problem && <Loader size={12} aria-label="Working" />}
      {phase === "looking" ? (
        <Looking model={model} />
      ) : problem ? (
        "It did not work"
      ) : !pointed ? (
        "Click an object"
      ) : answer && !answer.mask ? (
        "Nothing was found there"
      ) : answer ? (
        said(prompt.points.length, answer.confidence)
      ) : (
        "Cutting out …"
      )}
    </span>
  );
}

function said(points: number, confidence: number | null): string {
  const clicks = points ? `${count(points)} ${points === 1 ? "point" : "points"}` : "Box";
  return confidence === null ? clicks : `${clicks} · quality ${confidence.toFixed(2)}`;
}

/** The first time takes seconds: say for how long it has been. */
function Looking({ model }: { model: string }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((now) => now + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span title={`${model} looks at the image once; clicks after that are quick`}>
      Looking at the image{seconds > 1 ? ` · ${seconds} s` : " …"}
    </span>
  );
}

function Trouble({ what, todo, retry }: { what: string; todo: string; retry: () => void }) {
  return (
    <div className={classes.bar} data-testid="smart-bar">
      <div className={classes.problem} role="alert">
        <p>
          The models could not be listed. {what} {todo}
        </p>
        <Button size="compact-xs" variant="default" onClick={retry}>
          Try again
        </Button>
      </div>
    </div>
  );
}
