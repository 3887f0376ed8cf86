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
import { ClassDot, colorOf, confidence, LabelOverlay, many, type useSkeletons } from "~/ui";
import type { Mark, Marks } from "./desk";
import { type Part, paintMask, sampleMask, scaled } from "./mask";
import classes from "./review.module.css";

type Colors = ReadonlyMap<string, string>;
type Skeletons = ReturnType<typeof useSkeletons>;

interface CropProps {
  item: ReviewLabel;
  mark: Mark | undefined;
  /** The state that everything has in this list: others are marked. */
  usual: LabelState;
  side: number;
  colors: Colors;
  /** Which points of a class are joined by lines. */
  skeletons: Skeletons;
  shapes: boolean;
}

/** One proposal: the part of its image, its outline, class and confidence, and what was decided. */
export const CropTile = memo(function CropTile({
  item,
  mark,
  usual,
  side,
  colors,
  skeletons,
  shapes,
}: CropProps) {
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
        {shapes && mask && (
          <MaskOverlay
            masks={[{ mask, color: colorOf(className, colors) }]}
            part={region}
            cells={Math.min(MOST_CELLS, side * ratio())}
          />
        )}
        {shapes && !mask && label.geometry && (
          <LabelOverlay
            labels={drawn}
            width={region.width}
            height={region.height}
            region={region}
            shown={shown}
            colors={colors}
            skeletons={skeletons}
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

const MOST_CELLS = 384;

interface Masked {
  mask: Extract<Geometry, { type: "mask" }>;
  color: string;
}

interface MaskOverlayProps {
  masks: readonly Masked[];
  /** In pixels of the image. */
  part: Part;
  cells: number;
  /** Of the image, where the masks come at a fraction of its size. */
  width?: number;
}

/** Masks over a part of their image, as fine as the tile is on screen: `cells` along its longer side. */
function MaskOverlay({ masks, part, cells, width }: MaskOverlayProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  const scale = cells / Math.max(part.width, part.height);
  const across = Math.max(1, Math.round(part.width * scale));
  const down = Math.max(1, Math.round(part.height * scale));
  const what = JSON.stringify(masks.map((each) => [each.color, each.mask.counts]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text says which masks and colours these are
  useEffect(() => {
    const context = ref.current?.getContext("2d");
    if (!context) return;
    const pixels = context.createImageData(across, down);
    for (const { mask, color } of masks) {
      const own = width ? scaled(part, mask.width / width) : part;
      paintMask(pixels.data, sampleMask(mask, own, across, down), across, color);
    }
    context.putImageData(pixels, 0, 0);
  }, [what, part.x, part.y, across, down, width]);
  return <canvas ref={ref} width={across} height={down} className={classes.mask} aria-hidden="true" />;
}

interface ImageProps {
  image: Image;
  marks: Marks;
  usual: LabelState;
  side: number;
  height: number;
  colors: Colors;
  /** Which points of a class are joined by lines. */
  skeletons: Skeletons;
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
  const { image, marks, usual, side, height, colors, skeletons, shapes } = props;
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
  const masks = labels.flatMap((label) =>
    label.geometry?.type === "mask"
      ? [{ mask: label.geometry, color: colorOf(label.class_name, colors) }]
      : [],
  );
  const whole = { x: 0, y: 0, width: image.width, height: image.height };
  const tags = labels.filter((label) => label.geometry === null);
  const decided = labels.filter((label) => label.state !== usual);
  const all = labels.length > 0 && decided.length === labels.length;
  const one = decided[0]?.state;
  const size = side * ratio() > 300 ? 512 : 256;
  return (
    <div className={classes.tile} data-state={all ? one : undefined} title={image.name}>
      <div className={classes.picture} style={{ height }}>
        <Picture source={thumbnailUrl(image, size)} width={side} height={height} />
        {shapes && masks.length > 0 && (
          <MaskOverlay
            masks={masks}
            part={whole}
            width={image.width}
            cells={Math.min(MOST_CELLS, side * ratio())}
          />
        )}
        {shapes && (
          <LabelOverlay
            labels={drawn}
            width={image.width}
            height={image.height}
            shown={shown}
            colors={colors}
            skeletons={skeletons}
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
