/** What a review shows, as it stands in the address: tab, look, order, class, range of confidence. No React, no requests. */
import type { LabelState, Params } from "~/api";

export type Tab = "review" | "approval";
export type Look = "crops" | "images";
export type Order = "confidence" | "-confidence" | "id";
/** What the review tab shows: what is still open, or what has been rejected. */
export type Pile = "proposed" | "rejected";

export interface ReviewView {
  tab: Tab;
  look: Look;
  order: Order;
  pile: Pile;
  /** Only this class; null: all. */
  className: string | null;
  min: number;
  max: number;
  /** Only images that fit this query. */
  query: string;
}

export const START: ReviewView = {
  tab: "review",
  look: "crops",
  order: "-confidence",
  pile: "proposed",
  className: null,
  min: 0,
  max: 1,
  query: "",
};

const oneOf = <T extends string>(text: string | null, all: readonly T[], or: T): T =>
  all.find((each) => each === text) ?? or;

function number(text: string | null, or: number): number {
  const value = text === null ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 && value <= 1 ? value : or;
}

/** Read the search part of an address; what it does not say, or says wrongly, is as at the start. */
export function readView(search: string): ReviewView {
  const says = new URLSearchParams(search);
  const min = number(says.get("min"), 0);
  return {
    tab: oneOf(says.get("tab"), ["review", "approval"], START.tab),
    look: oneOf(says.get("look"), ["crops", "images"], START.look),
    order: oneOf(says.get("order"), ["confidence", "-confidence", "id"], START.order),
    pile: oneOf(says.get("show"), ["proposed", "rejected"], START.pile),
    className: says.get("class"),
    min,
    max: Math.max(min, number(says.get("max"), 1)),
    query: says.get("q") ?? "",
  };
}

/** Write it; what is as at the start is left out. */
export function writeView(view: ReviewView): string {
  const search = new URLSearchParams();
  if (view.tab !== START.tab) search.set("tab", view.tab);
  if (view.look !== START.look) search.set("look", view.look);
  if (view.order !== START.order) search.set("order", view.order);
  if (view.pile !== START.pile) search.set("show", view.pile);
  if (view.className !== null) search.set("class", view.className);
  if (view.min > 0) search.set("min", String(view.min));
  if (view.max < 1) search.set("max", String(view.max));
  if (view.query) search.set("q", view.query);
  return search.toString();
}

/** The labels in question. Where both ends are open no range is asked for: labels without a confidence belong to it. */
export interface Asked {
  min: number | null;
  max: number | null;
  className: string | null;
  state: LabelState;
  query: string;
}

/** What the view asks for. The approval shows all confidences: a slider that hides what will be approved would deceive. */
export function askedBy(view: ReviewView): Asked {
  const whole = view.tab === "approval";
  return {
    min: whole || view.min <= 0 ? null : view.min,
    max: whole || view.max >= 1 ? null : view.max,
    className: view.className,
    state: whole ? "promoted" : view.pile,
    query: whole ? "" : view.query,
  };
}

/** As parameters of a request for pages. */
export function params(asked: Asked): Params {
  return {
    min: asked.min,
    max: asked.max,
    class: asked.className === null ? [] : [asked.className],
    state: [asked.state],
    query: asked.query,
  };
}

/** As the body of a bulk verdict. */
export function selection(asked: Asked) {
  return {
    ...(asked.min === null ? {} : { min: asked.min }),
    ...(asked.max === null ? {} : { max: asked.max }),
    classes: asked.className === null ? [] : [asked.className],
    states: [asked.state],
    query: asked.query,
  };
}
