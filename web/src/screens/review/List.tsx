import { ActionIcon, Button, SegmentedControl, Tooltip } from "@mantine/core";
import {
  ArrowDownWideNarrow,
  ArrowUpNarrowWide,
  CheckCheck,
  Images,
  ListFilter,
  Minus,
  Plus,
  Spline,
} from "lucide-react";
import { useCallback } from "react";
import type { Image, ReviewLabel, Run } from "~/api";
import { paths } from "~/app/routes";
import { count, EmptyState, ErrorState, type useSkeletons } from "~/ui";
import type { Marks } from "./desk";
import type { Feed, Listed } from "./feed";
import type { Asked, Look, ReviewView } from "./filter";
import { Grid } from "./Grid";
import type { Picked } from "./picking";
import classes from "./review.module.css";
import { CropTile, ImageTile } from "./tiles";

interface Props {
  run: Run;
  view: ReviewView;
  onView: (change: Partial<ReviewView>) => void;
  asked: Asked;
  listed: Listed<unknown>;
  crops: readonly ReviewLabel[];
  images: readonly Image[];
  feed: Feed<ReviewLabel> | Feed<Image>;
  marks: Marks;
  colors: ReadonlyMap<string, string>;
  /** Which points of a class are joined by lines. */
  skeletons: ReturnType<typeof useSkeletons>;
  shapes: boolean;
  onShapes: () => void;
  size: number;
  zoom: { value: number; most: number; by: (by: number) => () => void };
  picked: Picked;
  onPick: (picked: Picked) => void;
  onOpen: (place: number) => void;
  onColumns: (columns: number) => void;
  idAt: (place: number) => number | undefined;
  /** How many labels there are in all, if that is known. */
  total: number | null;
}

const FOOT = 26;
/** Most photos are wider than high; crops are squares. */
const PHOTO = 0.75;

/** The toolbar and the tiles: crops or images. */
export function List(props: Props) {
  return (
    <>
      <Toolbar {...props} />
      <div className={classes.stage} data-stale={props.listed.stale || undefined}>
        <Tiles {...props} />
      </div>
    </>
  );
}

function Toolbar({ view, onView, zoom, shapes, onShapes, listed, total }: Props) {
  const down = view.order !== "confidence";
  return (
    <div className={classes.toolbar}>
      <SegmentedControl
        aria-label="Look"
        value={view.look}
        onChange={(look) => onView({ look: look as Look })}
        data={[
          { value: "crops", label: "Crops" },
          { value: "images", label: "Images" },
        ]}
      />
      <Tooltip label="Turn the order around (S)">
        <Button
          variant="default"
          onClick={() => onView({ order: down ? "confidence" : "-confidence" })}
          leftSection={down ? <ArrowDownWideNarrow size={14} /> : <ArrowUpNarrowWide size={14} />}
        >
          {down ? "Most confident first" : "Least confident first"}
        </Button>
      </Tooltip>
      <span className={classes.loaded} aria-live="polite">
        {listed.empty
          ? ""
          : view.look === "crops" && total !== null
            ? `${count(total)} ${total === 1 ? "label" : "labels"}`
            : ""}
      </span>
      <div className={classes.spacer} />
      <Tooltip label="Outlines (O)">
        <ActionIcon
          aria-label="Outlines"
          aria-pressed={shapes}
          variant={shapes ? "light" : "subtle"}
          color={shapes ? "seal" : "gray"}
          onClick={onShapes}
        >
          <Spline size={16} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Smaller (-)">
        <ActionIcon aria-label="Smaller tiles" disabled={zoom.value === 0} onClick={zoom.by(-1)}>
          <Minus size={16} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Larger (+)">
        <ActionIcon aria-label="Larger tiles" disabled={zoom.value === zoom.most} onClick={zoom.by(1)}>
          <Plus size={16} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function Tiles(props: Props) {
  const { view, asked, listed, feed, crops, images, marks, colors, skeletons, shapes } = props;
  const onEnd = useCallback(() => feed.more(), [feed]);
  if (listed.empty) {
    if (listed.error)
      return (
        <ErrorState title="The labels could not be loaded" error={listed.error} retry={() => feed.retry()} />
      );
    return <Skeleton size={props.size} />;
  }
  if (listed.items.length === 0) return <Nothing {...props} />;
  return (
    <Grid
      key={view.look}
      label={view.look === "crops" ? "Proposals, each a tile" : "Images with proposals"}
      count={listed.items.length}
      idAt={props.idAt}
      size={props.size}
      foot={FOOT}
      aspect={view.look === "crops" ? 1 : PHOTO}
      picked={props.picked}
      onPick={props.onPick}
      onOpen={props.onOpen}
      onEnd={onEnd}
      edition={listed.edition}
      onColumns={props.onColumns}
      tile={(place, side) => {
        if (view.look === "crops") {
          const item = crops[place];
          if (!item) return null;
          return (
            <CropTile
              item={item}
              mark={marks.get(item.label.id)}
              usual={asked.state}
              side={side}
              colors={colors}
              skeletons={skeletons}
              shapes={shapes}
            />
          );
        }
        const image = images[place];
        if (!image) return null;
        return (
          <ImageTile
            image={image}
            marks={marks}
            usual={asked.state}
            side={side}
            height={Math.round(side * PHOTO)}
            colors={colors}
            skeletons={skeletons}
            shapes={shapes}
          />
        );
      }}
      after={
        listed.error ? (
          <ErrorState
            title="The next ones could not be loaded"
            error={listed.error}
            retry={() => feed.retry()}
          />
        ) : null
      }
    />
  );
}

function Nothing({ run, view, onView, asked }: Props) {
  const filtered = asked.className !== null || asked.min !== null || asked.max !== null || asked.query !== "";
  if (view.tab === "approval") {
    return run.state === "approved" ? (
      <EmptyState icon={<CheckCheck size={28} />} title="Nothing was approved">
        The run was closed without a label that was put up for approval.
      </EmptyState>
    ) : (
      <EmptyState
        icon={<ListFilter size={28} />}
        title="Nothing is up for approval yet"
        actions={<Button onClick={() => onView({ tab: "review" })}>Go to the review</Button>}
      >
        In the review, find a confidence above which all is right and add those labels; then decide on the
        rest one by one.
      </EmptyState>
    );
  }
  if (filtered) {
    return (
      <EmptyState
        icon={<ListFilter size={28} />}
        title="No label fits this filter"
        actions={
          <Button variant="default" onClick={() => onView({ className: null, min: 0, max: 1, query: "" })}>
            Clear the filter
          </Button>
        }
      >
        Move the ends of the confidence apart, or choose another class.
      </EmptyState>
    );
  }
  if (view.pile === "rejected") {
    return (
      <EmptyState icon={<CheckCheck size={28} />} title="Nothing is rejected">
        What you reject is kept here, and can be taken back until the run is approved.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={<CheckCheck size={28} />}
      title={run.state === "approved" ? "The run is closed" : "All proposals are decided"}
      actions={
        run.state === "approved" ? (
          <Button
            component="a"
            href={paths.images(run.project_id)}
            variant="default"
            leftSection={<Images size={14} />}
          >
            To the images
          </Button>
        ) : (
          <Button onClick={() => onView({ tab: "approval" })}>Go to the approval</Button>
        )
      }
    >
      {run.state === "approved"
        ? `Its promoted labels are in ${run.target_field}; the others count as rejected.`
        : "Look once more over what is up for approval, then approve."}
    </EmptyState>
  );
}

function Skeleton({ size }: { size: number }) {
  return (
    <div
      className={classes.skeletonGrid}
      aria-busy="true"
      style={{ gridTemplateColumns: `repeat(auto-fill, minmax(${size}px, 1fr))` }}
    >
      {Array.from({ length: 40 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <div key={i} className={classes.skeletonTile} />
      ))}
    </div>
  );
}
