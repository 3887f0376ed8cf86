import { Check, ImageOff, Maximize2 } from "lucide-react";
import { memo, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { Image, Label } from "~/api";
import { type ThumbnailSize, thumbnailsOf } from "~/api";
import { ClassDot } from "~/ui/ClassChip";
import { colorOf } from "~/ui/colors";
import { many } from "~/ui/format";
import { LabelOverlay, type Skeletons } from "~/ui/LabelOverlay";
import classes from "./images.module.css";
import styles from "./tile.module.css";

interface Props {
  id: string;
  index: number;
  project: number;
  /** Its number: the picture is asked for with it, before anything else is known. */
  image: number;
  found: Image | undefined;
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
  const { found, picture, selected, focused, index } = props;
  const caption = props.height - picture.height >= 20;
  const labels = useMemo(() => {
    const all = found?.labels ?? [];
    return props.fits ? all.filter(props.fits) : all;
  }, [found, props.fits]);
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
      data-image={found?.id}
      data-focused={focused || undefined}
      className={classes.tile}
      style={{
        transform: `translate(${props.left}px, ${props.top}px)`,
        width: props.width,
        height: props.height,
      }}
    >
      <span className="cs-hidden">{found ? describe(found) : "loading"}</span>
      <div className={classes.picture} style={picture} aria-hidden="true">
        <Picture project={props.project} id={props.image} image={found} shown={picture}>
          {found && props.overlays && shapes.length > 0 && (
            <LabelOverlay
              labels={shapes}
              width={found.width}
              height={found.height}
              shown={picture}
              colors={props.colors}
              skeletons={props.skeletons}
            />
          )}
        </Picture>
        <span className={classes.check} data-check>
          {selected && <Check size={12} strokeWidth={3.5} />}
        </span>
        <span className={classes.open} data-open title="Open in the editor">
          <Maximize2 size={12} />
        </span>
        <div className={styles.notes}>
          {found?.split && <span className={styles.note}>{found.split}</span>}
          {props.overlays &&
            said.map((label) => (
              <span key={label.id} className={styles.note} title={label.class_name}>
                <ClassDot color={colorOf(label.class_name, props.colors)} size={8} />
                {label.class_name}
              </span>
            ))}
        </div>
      </div>
      {caption && (
        <div className={styles.caption} aria-hidden="true">
          {found && <Name name={found.name} />}
          {labels.length > 0 && <span className={styles.number}>{labels.length}</span>}
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
    <span className={styles.name} title={name}>
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
function Picture(props: {
  project: number;
  id: number;
  image: Image | undefined;
  shown: { width: number; height: number };
  children: ReactNode;
}) {
  const { project, id, image, shown } = props;
  const ref = useRef<HTMLImageElement>(null);
  const [failed, setFailed] = useState(false);
  const size = sizeFor(shown);
  useEffect(() => {
    const picture = ref.current;
    if (!picture) return;
    setFailed(false);
    const { top, bottom } = picture.getBoundingClientRect();
    const near = bottom > 0 && top < window.innerHeight;
    return thumbnailsOf(project, size).want(id, near, (address) => {
      if (address) picture.src = address;
      else setFailed(true);
    });
  }, [project, id, size]);
  if (image?.state === "missing" || failed) {
    return (
      <div className={styles.noPicture}>
        <ImageOff size={20} />
        <span>{image?.state === "missing" ? "file missing" : "cannot be shown"}</span>
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
        data-small={image && image.width < shown.width && image.height < shown.height ? true : undefined}
        // Forty come at once: that they are there is written down without a render of each tile.
        onLoad={(event) => event.currentTarget.setAttribute("data-there", "true")}
        onError={() => setFailed(true)}
      />
      {props.children}
    </>
  );
}
