/** The elements that the canvas engine draws on. React makes them once and never touches what is in them. */
import { useLayoutEffect, useRef } from "react";
import { ErrorState } from "~/ui/ErrorState";
import { useEditor } from "./context";
import classes from "./stageView.module.css";

interface Props {
  problem: { title: string; error: unknown; retry: () => void } | null;
}

export function StageView({ problem }: Props) {
  const { controller } = useEditor();
  const root = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const shapes = useRef<HTMLCanvasElement>(null);
  const paint = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<SVGSVGElement>(null);
  useLayoutEffect(
    () =>
      controller.attach({
        root: root.current!,
        picture: picture.current!,
        shapes: shapes.current!,
        paint: paint.current!,
        overlay: overlay.current!,
      }),
    [controller],
  );
  return (
    <div ref={root} className={classes.stage} data-testid="stage">
      <canvas ref={picture} className={classes.layer} />
      <canvas ref={shapes} className={classes.layer} />
      <canvas ref={paint} className={classes.layer} />
      <svg ref={overlay} className={classes.overlay} role="application" aria-label="Image and labels" />
      {problem && (
        <div className={classes.problem}>
          <ErrorState title={problem.title} error={problem.error} retry={problem.retry} />
        </div>
      )}
    </div>
  );
}
