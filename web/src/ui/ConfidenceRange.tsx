import { NumberInput, RangeSlider } from "@mantine/core";
import { useMemo } from "react";
import classes from "./ui.module.css";

interface Props {
  /** Lowest and highest confidence, 0 to 1. */
  value: readonly [number, number];
  /** While it is dragged or typed. */
  onChange: (value: [number, number]) => void;
  /** When it has been let go; for what should not follow every pixel. */
  onChangeEnd?: (value: [number, number]) => void;
  /** Labels per equal part of 0..1, drawn behind the slider. */
  histogram?: readonly number[];
  /** Name for screen readers. */
  label?: string;
  disabled?: boolean;
}

const clamp = (value: number) => Math.min(1, Math.max(0, Math.round(value * 100) / 100));

/** A range of confidence: a slider over its histogram, and two number fields. */
export function ConfidenceRange({
  value,
  onChange,
  onChangeEnd,
  histogram,
  label = "Confidence",
  disabled,
}: Props) {
  const [low, high] = value;
  const set = (next: [number, number], end: boolean) => {
    onChange(next);
    if (end) onChangeEnd?.(next);
  };
  return (
    <div className={classes.confidence} role="group" aria-label={label}>
      <Histogram bins={histogram} low={low} high={high} />
      <RangeSlider
        min={0}
        max={1}
        step={0.01}
        minRange={0}
        size={4}
        thumbSize={14}
        label={null}
        disabled={disabled}
        value={[low, high]}
        onChange={(next) => set([clamp(next[0]), clamp(next[1])], false)}
        onChangeEnd={(next) => onChangeEnd?.([clamp(next[0]), clamp(next[1])])}
        thumbFromLabel={`${label}: lowest`}
        thumbToLabel={`${label}: highest`}
      />
      <div className={classes.confidenceFields}>
        <Bound
          name={`${label}: lowest`}
          value={low}
          disabled={disabled}
          onSet={(to) => set([Math.min(to, high), high], true)}
        />
        <span aria-hidden>to</span>
        <Bound
          name={`${label}: highest`}
          value={high}
          disabled={disabled}
          onSet={(to) => set([low, Math.max(to, low)], true)}
        />
      </div>
    </div>
  );
}

function Bound(props: { name: string; value: number; disabled?: boolean; onSet: (value: number) => void }) {
  return (
    <NumberInput
      aria-label={props.name}
      value={props.value}
      // What ends in a zero ("0.20") comes as text.
      onChange={(next) => next !== "" && Number.isFinite(Number(next)) && props.onSet(clamp(Number(next)))}
      min={0}
      max={1}
      step={0.05}
      decimalScale={2}
      fixedDecimalScale
      clampBehavior="strict"
      hideControls
      disabled={props.disabled}
      w={64}
    />
  );
}

/** Bars by the square root of the count, so that rare confidences are seen beside frequent ones. */
function Histogram({ bins, low, high }: { bins?: readonly number[]; low: number; high: number }) {
  const bars = useMemo(() => {
    const most = Math.sqrt(Math.max(1, ...(bins ?? [])));
    return (bins ?? []).map((each) => Math.sqrt(each) / most);
  }, [bins]);
  const step = 100 / Math.max(1, bars.length);
  return (
    <svg className={classes.histogram} viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
      {bars.map((height, i) => {
        const inside = (i + 1) / bars.length > low && i / bars.length < high;
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={i}
            x={i * step + step * 0.08}
            width={step * 0.84}
            y={40 - height * 40}
            height={height * 40}
            className={inside || (i === 0 && low === 0) ? classes.barInside : classes.barOutside}
          />
        );
      })}
    </svg>
  );
}
