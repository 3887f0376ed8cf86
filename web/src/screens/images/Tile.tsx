import { Check, ImageOff, Maximize2 } from "lucide-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import type { Image, Label } from "~/api";
import { type ThumbnailSize, thumbnailUrl } from "~/api";
import { LabelOverlay } from "~/ui/LabelOverlay";
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
  return (
    <div
      id={props.id}
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      aria-posinset={index + 1}
      aria-setsize={props.total}
      aria-label={image ? describe(image) : "loading"}
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
      <div className={classes.picture} style={picture}>
        {image && <Picture image={image} shown={picture} />}
        {image && props.overlays && labels.length > 0 && (
          <LabelOverlay
            labels={labels}
            width={image.width}
            height={image.height}
            shown={picture}
            colors={props.colors}
          />
        )}
        <span className={classes.check} data-check aria-hidden="true">
          {selected && <Check size={12} strokeWidth={3.5} />}
        </span>
        <span className={classes.open} data-open aria-hidden="true" title="Open in the editor">
          <Maximize2 size={12} />
        </span>
        {image?.split && <span className={classes.split}>{image.split}</span>}
      </div>
      {caption && (
        <div className={classes.caption}>
          <span className="cs-truncate" title={image?.name}>
            {image?.name ?? ""}
          </span>
          {labels.length > 0 && <span className={classes.number}>{labels.length}</span>}
        </div>
      )}
    </div>
  );
});

function describe(image: Image): string {
  const labels = image.labels ? `, ${image.labels.length} labels` : "";
  return `${image.name}${image.split ? `, ${image.split}` : ""}${labels}${image.state === "missing" ? ", file missing" : ""}`;
}

function sizeFor(shown: { width: number }): ThumbnailSize {
  const pixels = shown.width * Math.min(2, window.devicePixelRatio || 1);
  return pixels <= 160 ? 128 : pixels <= 320 ? 256 : 512;
}

function Picture({ image, shown }: { image: Image; shown: { width: number; height: number } }) {
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
  );
}
