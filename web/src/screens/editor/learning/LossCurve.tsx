/** The losses of a training over its steps. In a chunk of its own: uPlot comes with it. */
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { CurvePoint } from "~/api";
import styles from "./learning.module.css";

const COLORS = ["#2bb78d", "#5a9cf5", "#e0a53c", "#c879ff", "#f0716b"];

export default function LossCurve({ points }: { points: readonly CurvePoint[] }) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme("dark");
  const names = [...new Set(points.flatMap((each) => Object.keys(each.losses)))];
  const known = names.join(" ");
  const data = [
    points.map((each) => each.step),
    ...names.map((name) => points.map((each) => each.losses[name] ?? null)),
  ] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme decides what the variables of the colours say
  useEffect(() => {
    const parent = root.current!;
    const style = getComputedStyle(parent);
    const dim = style.getPropertyValue("--cs-dim");
    const grid = { stroke: style.getPropertyValue("--cs-border"), width: 1 };
    const axis = { stroke: dim, font: "10px system-ui", grid, ticks: { show: false } };
    plot.current = new uPlot(
      {
        width: parent.clientWidth || 240,
        height: 112,
        padding: [6, 4, 0, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 22, space: 48 },
          { ...axis, size: 36, space: 24 },
        ],
        series: [
          {},
          ...known.split(" ").map((label, i) => ({
            label,
            stroke: COLORS[i % COLORS.length],
            width: 1.5,
            spanGaps: true,
            points: { show: false },
          })),
        ],
      },
      latest.current,
      parent,
    );
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [known, scheme]);
  useEffect(() => {
    plot.current?.setData(data);
  });
  const last = points.at(-1);
  return (
    <figure className={styles.figure} aria-label="Loss over the steps of the training">
      <div ref={root} />
      <figcaption>
        {names.map((name, i) => (
          <span key={name}>
            <i style={{ background: COLORS[i % COLORS.length] }} /> {name.replaceAll("_", " ")}{" "}
            {last?.losses[name]?.toFixed(3) ?? ""}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
