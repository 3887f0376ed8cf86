import { Check, ImageOff, X } from "lucide-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import {
  cropUrl,
  type Geometry,
  type Image,
  type Label,
  type LabelState,
  type ReviewLabel,
  thumbnailUrl,
} from "~/api";
import { ClassDot, colorOf, confidence, LabelOverlay, many } from "~/ui";
import type { Mark, Marks } from "./desk";
import { type Part, sampleMask } from "./mask";
import classes from "./review.module.css";

type Colors = ReadonlyMap<string, string>;

interface CropProps {
  item: ReviewLabel;
  mark: Mark | undefined;
  /** The state that everything has in this list: others are marked. */
  usual: LabelState;
  side: number;
  colors: Colors;
  shapes: boolean;
}

/** One proposal: the part of its image, its outline, class and confidence, and what was decided. */
export const CropTile = memo(function CropTile({ item, mark, usual, side, colors, shapes }: CropProps) {
  const { label, region } = item;
  // The picture stays the one it was: a verdict does not change what is seen.
  const first = useRef(label.version);
  const source = cropUrl({ id: label.id, version: first.current }, side * ratio() > 180 ? 320 : 160);
  const className = mark?.className ?? label.class_name;
  const state = mark?.state ?? label.state;
  const drawn = useMemo(
    () => [{ class_name: className, geometry: label.geometry, state: "verified" as const }],
    [className, label.geometry],
  );
  const shown = useMemo(() => ({ width: side, height: side }), [side]);
  const mask = label.geometry?.type === "mask" ? label.geometry : null;
  return (
    <div className={classes.tile} data-state={state === usual ? undefined : state} title={item.image_name}>
      <div className={classes.picture} style={{ height: side }}>
        <Picture source={source} width={side} height={side} />
        {shapes && mask && <MaskOverlay mask={mask} part={region} color={colorOf(className, colors)} />}
        {shapes && !mask && label.geometry && (
          <LabelOverlay
            labels={drawn}
            width={region.width}
            height={region.height}
            region={region}
            shown={shown}
            colors={colors}
          />
        )}
        <VerdictBadge state={state} usual={usual} />
      </div>
      <div className={classes.foot}>
        <ClassDot color={colorOf(className, colors)} size={8} />
        <span className="cs-truncate">{className}</span>
        <span className={classes.confidence}>{confidence(label.confidence)}</span>
      </div>
    </div>
  );
});

/** A picture, or a sign that its file cannot be shown. */
function Picture({ source, width, height }: { source: string; width: number; height: number }) {
  const [broken, setBroken] = useState("");
  if (broken === source)
    return (
      <span className={classes.gone} style={{ height }} title="The image's file is missing or cannot be read">
        <ImageOff size={20} />
      </span>
    );
  return (
    <img
      src={source}
      alt=""
      draggable={false}
      decoding="async"
      width={width}
      height={height}
      onError={() => setBroken(source)}
    />
  );
}

const ratio = () => Math.min(2, window.devicePixelRatio || 1);

const SAID: Record<LabelState, string> = {
  promoted: "accepted",
  rejected: "rejected",
  proposed: "back to the proposals",
  verified: "verified",
};

function VerdictBadge({ state, usual }: { state: LabelState; usual: LabelState }) {
  if (state === usual) return null;
  return (
    <span className={classes.verdict} data-state={state}>
      {state === "rejected" ? <X size={14} strokeWidth={3} /> : <Check size={14} strokeWidth={3} />}
      <span className="cs-hidden">{SAID[state]}</span>
    </span>
  );
}

const CELLS = 96;

/** A mask over its crop, as coarse as the tile is small. */
function MaskOverlay({
  mask,
  part,
  color,
}: {
  mask: Extract<Geometry, { type: "mask" }>;
  part: Part;
  color: string;
}) {
  const ref = useRef<HTMLCanvasElement>(null);
  const across =
    part.width >= part.height ? CELLS : Math.max(1, Math.round((CELLS * part.width) / part.height));
  const down =
    part.height >= part.width ? CELLS : Math.max(1, Math.round((CELLS * part.height) / part.width));
  useEffect(() => {
    const context = ref.current?.getContext("2d");
    if (!context) return;
    const painted = sampleMask(mask, part, across, down);
    const pixels = context.createImageData(across, down);
    const value = Number.parseInt(color.slice(1), 16);
    for (let i = 0; i < painted.length; i += 1) {
      if (!painted[i]) continue;
      const x = i % across;
      const edge =
        (x > 0 && !painted[i - 1]) ||
        (x < across - 1 && !painted[i + 1]) ||
        (i >= across && !painted[i - across]) ||
        (i + across < painted.length && !painted[i + across]);
      pixels.data.set([value >> 16, (value >> 8) & 255, value & 255, edge ? 255 : 90], i * 4);
    }
    context.putImageData(pixels, 0, 0);
  }, [mask, part, across, down, color]);
  return <canvas ref={ref} width={across} height={down} className={classes.mask} aria-hidden="true" />;
}

interface ImageProps {
  image: Image;
  marks: Marks;
  usual: LabelState;
  side: number;
  height: number;
  colors: Colors;
  shapes: boolean;
}

/** The labels of an image as they are now, with what was decided here. */
export function withMarks(labels: readonly Label[], marks: Marks): Label[] {
  return labels.map((label) => {
    const mark = marks.get(label.id);
    return mark ? { ...label, state: mark.state, class_name: mark.className ?? label.class_name } : label;
  });
}

/** An image with those of its labels that fit the filter. */
export const ImageTile = memo(function ImageTile(props: ImageProps) {
  const { image, marks, usual, side, height, colors, shapes } = props;
  const labels = useMemo(() => withMarks(image.labels ?? [], marks), [image.labels, marks]);
  const shown = useMemo(() => ({ width: side, height }), [side, height]);
  const drawn = useMemo(
    () =>
      labels.map((label) => ({
        class_name: label.class_name,
        state: label.state === usual ? ("verified" as const) : label.state,
        geometry: label.geometry?.type === "mask" ? null : label.geometry,
      })),
    [labels, usual],
  );
  const tags = labels.filter((label) => label.geometry === null);
  const decided = labels.filter((label) => label.state !== usual);
  const all = labels.length > 0 && decided.length === labels.length;
  const one = decided[0]?.state;
  const size = side * ratio() > 300 ? 512 : 256;
  return (
    <div className={classes.tile} data-state={all ? one : undefined} title={image.name}>
      <div className={classes.picture} style={{ height }}>
        <Picture source={thumbnailUrl(image, size)} width={side} height={height} />
        {shapes &&
          labels.map(
            (label) =>
              label.geometry?.type === "mask" && (
                <ContainedMask
                  key={label.id}
                  mask={label.geometry}
                  image={image}
                  color={colorOf(label.class_name, colors)}
                />
              ),
          )}
        {shapes && (
          <LabelOverlay
            labels={drawn}
            width={image.width}
            height={image.height}
            shown={shown}
            colors={colors}
          />
        )}
        {tags.length > 0 && (
          <span className={classes.tags}>
            {tags.slice(0, 3).map((label) => (
              <span key={label.id}>
                <ClassDot color={colorOf(label.class_name, colors)} size={8} />
                {label.class_name} {confidence(label.confidence)}
              </span>
            ))}
          </span>
        )}
        {all && one && <VerdictBadge state={one} usual={usual} />}
      </div>
      <div className={classes.foot}>
        <span className="cs-truncate">{image.name}</span>
        <span className={classes.confidence}>
          {decided.length > 0
            ? `${decided.length} of ${many(labels.length, "label")}`
            : many(labels.length, "label")}
        </span>
      </div>
    </div>
  );
});

function ContainedMask({
  mask,
  image,
  color,
}: {
  mask: Extract<Geometry, { type: "mask" }>;
  image: Image;
  color: string;
}) {
  const part = useMemo(() => ({ x: 0, y: 0, width: image.width, height: image.height }), [image]);
  return <MaskOverlay mask={mask} part={part} color={color} />;
}
