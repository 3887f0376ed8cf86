/** What is shown of a project, as it stands in the address: filter, order, selection. Shared by grid, editor and runs. */
import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { formatQuery, type ImageQuery, parseQuery } from "~/api/image-query";
import { NOTHING, readSelection, type Selection, writeSelection } from "./selection";

export const SORTS = ["id", "-id", "name", "-name", "confidence", "-confidence"] as const;
export type Sort = (typeof SORTS)[number];

export interface View {
  query: ImageQuery;
  /** The same as text: what requests send. */
  text: string;
  sort: Sort;
  selection: Selection;
}

/** Read the part of an address after the `?`. */
export function readView(search: string): View {
  const params = new URLSearchParams(search);
  const query = parseQuery(params.get("q") ?? "");
  const wanted = params.get("sort") as Sort;
  const sort = SORTS.includes(wanted) && (query.field || !wanted.endsWith("confidence")) ? wanted : "id";
  return { query, text: formatQuery(query), sort, selection: readSelection(params.get("sel") ?? "") };
}

/** Write it; a view of everything is the empty text. What else stands in the address (`keep`) stays. */
export function writeView(view: Partial<Omit<View, "text">>, keep = ""): string {
  const params = new URLSearchParams(keep);
  const set = (name: string, value: string) => (value ? params.set(name, value) : params.delete(name));
  if (view.query) set("q", formatQuery(view.query));
  if (view.sort) set("sort", view.sort === "id" ? "" : view.sort);
  if (view.selection) set("sel", writeSelection(view.selection));
  return params.toString();
}

/** The view of this address, and a way to change parts of it. Changing the filter clears the selection. */
export function useView() {
  const search = useSearch();
  const [path, go] = useLocation();
  const view = useMemo(() => readView(search), [search]);
  const change = useCallback(
    (next: Partial<Omit<View, "text">>, how: { replace?: boolean } = {}) => {
      const now = new URLSearchParams(window.location.search).toString();
      const cleared = next.query && !next.selection ? { ...next, selection: NOTHING } : next;
      const text = writeView(cleared, now);
      if (text !== now) go(text ? `${path}?${text}` : path, { replace: how.replace ?? !next.query });
    },
    [go, path],
  );
  return { view, search, change };
}

/** What requests on many images take (`ImageTarget`): the selected ids, or else the filter. */
export function targetOf(view: View): { query: string; ids?: number[] } {
  if (view.selection.all || view.selection.ids.size === 0) return { query: view.text };
  return { query: "", ids: [...view.selection.ids] };
}
