import { Check, ImageOff, Maximize2 } from "lucide-react";
import { memo, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { Image, Label } from "~/api";
import { type ThumbnailSize, thumbnailUrl } from "~/api";
import { ClassDot } from "~/ui/ClassChip";
import { colorOf } from "~/ui/colors";
import { many } from "~/ui/format";
import { LabelOverlay, type Skeletons } from "~/ui/LabelOverlay";
import classes from "./images.module.css";

interface Props {
  id: string;
  index: number;
  image: Image | undefined;
  left: number;
  top: number;
  width: number;
  height: number;
  picture: { width: number; height: number };
  selected: boolean;
  focused: boolean;
  colors: ReadonlyMap<string, string>;
  skeletons: Skeletons;
  overlays: boolean;
  /** Which labels are meant; all if not given. */
  fits: ((label: Label) => boolean) | null;
  total: number;
}

/** One image. It knows nothing of clicks: the grid listens for all of its tiles. */
export const Tile = memo(function Tile(props: Props) {
  const { image, picture, selected, focused, index } = props;
  const caption = props.height - picture.height >= 20;
  const labels = useMemo(() => {
    const all = image?.labels ?? [];
    return props.fits ? all.filter(props.fits) : all;
  }, [image, props.fits]);
  const shapes = useMemo(() => labels.filter((label) => label.geometry), [labels]);
  const said = useMemo(() => labels.filter((label) => !label.geometry).slice(0, 3), [labels]);
  return (
    <div
      id={props.id}
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      aria-posinset={index + 1}
      aria-setsize={props.total}
      data-index={index}
      data-image={image?.id}
      data-focused={focused || undefined}
      className={classes.tile}
      style={{
        transform: `translate(${props.left}px, ${props.top}px)`,
        width: props.width,
        height: props.height,
      }}
    >
      <span className="cs-hidden">{image ? describe(image) : "loading"}</span>
      <div className={classes.picture} style={picture} aria-hidden="true">
        {image && (
          <Picture image={image} shown={picture}>
            {props.overlays && shapes.length > 0 && (
              <LabelOverlay
                labels={shapes}
                width={image.width}
                height={image.height}
                shown={picture}
                colors={props.colors}
                skeletons={props.skeletons}
              />
            )}
          </Picture>
        )}
        <span className={classes.check} data-check>
          {selected && <Check size={12} strokeWidth={3.5} />}
        </span>
        <span className={classes.open} data-open title="Open in the editor">
          <Maximize2 size={12} />
        </span>
        <div className={classes.notes}>
          {image?.split && <span className={classes.note}>{image.split}</span>}
          {props.overlays &&
            said.map((label) => (
              <span key={label.id} className={classes.note} title={label.class_name}>
                <ClassDot color={colorOf(label.class_name, props.colors)} size={8} />
                {label.class_name}
              </span>
            ))}
        </div>
      </div>
      {caption && (
        <div className={classes.caption} aria-hidden="true">
          {image && <Name name={image.name} />}
          {labels.length > 0 && <span className={classes.number}>{labels.length}</span>}
        </div>
      )}
    </div>
  );
});

/** Where there is no room for all of a name, its end is what tells it from the others. */
function Name({ name }: { name: string }) {
  const last = name.slice(name.lastIndexOf("/") + 1);
  const cut = last.length > 14 ? last.length - 10 : last.length;
  return (
    <span className={classes.name} title={name}>
      <span className="cs-truncate">{last.slice(0, cut)}</span>
      <span>{last.slice(cut)}</span>
    </span>
  );
}

function describe(image: Image): string {
  const labels = image.labels ? `, ${many(image.labels.length, "label")}` : "";
  return `${image.name}${image.split ? `, ${image.split}` : ""}${labels}${image.state === "missing" ? ", file missing" : ""}`;
}

function sizeFor(shown: { width: number }): ThumbnailSize {
  const pixels = shown.width * Math.min(2, window.devicePixelRatio || 1);
  return pixels <= 160 ? 128 : pixels <= 320 ? 256 : 512;
}

/** The picture, and what lies over it once it is there. */
function Picture(props: { image: Image; shown: { width: number; height: number }; children: ReactNode }) {
  const { image, shown } = props;
  const ref = useRef<HTMLImageElement>(null);
  const [state, setState] = useState<"loading" | "there" | "failed">("loading");
  const address = thumbnailUrl(image, sizeFor(shown));
  useEffect(() => {
    const picture = ref.current;
    if (!picture) return;
    picture.src = address;
    // A tile that scrolls away must not keep others waiting: taking the address away ends its request.
    return () => picture.removeAttribute("src");
  }, [address]);
  if (image.state === "missing" || state === "failed") {
    return (
      <div className={classes.noPicture}>
        <ImageOff size={20} />
        <span>{image.state === "missing" ? "file missing" : "cannot be shown"}</span>
      </div>
    );
  }
  return (
    <>
      <img
        ref={ref}
        alt=""
        decoding="async"
        draggable={false}
        data-there={state === "there" || undefined}
        data-small={image.width < shown.width && image.height < shown.height ? true : undefined}
        onLoad={() => setState("there")}
        onError={() => setState("failed")}
      />
      {state === "there" && props.children}
    </>
  );
}
