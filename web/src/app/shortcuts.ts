/**
 * The registry of keyboard shortcuts. A screen defines a scope as data (`defineShortcuts`, imported by
 * `shortcut-catalogue.ts` so that the `?` sheet knows all of them), and binds what they do with `useShortcuts`.
 * The scope that was bound last is asked first; nothing runs while somebody types or a dialog is open.
 */
import { useEffect, useRef } from "react";
import { matches, parseKeys, type Stroke } from "./keys";

export interface ShortcutInfo {
  /** Combinations that do the same: `["mod+shift+z", "mod+y"]`. Empty: shown in the sheet only (a mouse gesture). */
  keys: readonly string[];
  /** What it does, in a few words. */
  label: string;
  /** What the sheet shows instead of the keys: `1 … 9`, `Shift + click`. */
  shown?: string;
  /** Also while a text field has the focus. */
  inFields?: boolean;
  /** Also while the key is held down. */
  repeat?: boolean;
}

export interface Scope<Id extends string = string> {
  title: string;
  shortcuts: Readonly<Record<Id, ShortcutInfo>>;
}

/** A handler; returning false means "not now": the next scope is asked. */
export type Handler = (event: KeyboardEvent) => unknown;

/** `defineShortcuts("Editor", { undo: { keys: ["mod+z"], label: "Undo" } })` */
export function defineShortcuts<Id extends string>(
  title: string,
  shortcuts: Record<Id, ShortcutInfo>,
): Scope<Id> {
  return { title, shortcuts };
}

interface Bound {
  scope: Scope;
  handlers: () => Partial<Record<string, Handler>>;
}

const bound: Bound[] = [];
let waiting: { stroke: KeyboardEvent; until: number } | null = null;

/** Bind a scope without React; returns what takes it away. */
export function bindShortcuts<Id extends string>(
  scope: Scope<Id>,
  handlers: () => Partial<Record<Id, Handler>>,
): () => void {
  const entry: Bound = { scope, handlers };
  bound.push(entry);
  return () => {
    const at = bound.indexOf(entry);
    if (at >= 0) bound.splice(at, 1);
  };
}

/** Bind what a scope's shortcuts do while the component is there. Handlers may change with every render. */
export function useShortcuts<Id extends string>(
  scope: Scope<Id>,
  handlers: Partial<Record<Id, Handler>>,
): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => bindShortcuts(scope, () => latest.current), [scope]);
}

/** Titles of the scopes that are bound now. */
export function activeScopes(): ReadonlySet<string> {
  return new Set(bound.map((each) => each.scope.title));
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as Partial<HTMLElement> | null;
  if (!target?.tagName) return false;
  if (target.isContentEditable) return true;
  if (target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  if (target.tagName !== "INPUT") return false;
  const type = (target as HTMLInputElement).type;
  return !["checkbox", "radio", "range", "button"].includes(type);
}

function dialogOpen(): boolean {
  return typeof document !== "undefined" && document.querySelector("[role=dialog][aria-modal=true]") !== null;
}

/** Find and run the shortcut of a key press. Returns whether there was one. Exported for its test. */
export function dispatch(event: KeyboardEvent, typing = isTyping(event), blocked = dialogOpen()): boolean {
  const first = waiting && waiting.until > event.timeStamp ? waiting.stroke : null;
  waiting = null;
  let begins = false;
  for (let i = bound.length - 1; i >= 0; i -= 1) {
    const { scope, handlers } = bound[i]!;
    for (const [id, info] of Object.entries(scope.shortcuts)) {
      const handler = handlers()[id];
      if (!handler || ((typing || blocked) && !info.inFields) || (event.repeat && !info.repeat)) continue;
      for (const text of info.keys) {
        const strokes = parseKeys(text);
        if (isRun(strokes, first, event)) {
          if (handler(event) === false) continue;
          event.preventDefault();
          event.stopPropagation();
          return true;
        }
        begins ||= strokes.length === 2 && !first && matches(strokes[0]!, event);
      }
    }
  }
  if (begins) waiting = { stroke: event, until: event.timeStamp + 1200 };
  return false;
}

function isRun(strokes: Stroke[], first: KeyboardEvent | null, event: KeyboardEvent): boolean {
  if (strokes.length === 1) return matches(strokes[0]!, event);
  return strokes.length === 2 && first !== null && matches(strokes[0]!, first) && matches(strokes[1]!, event);
}

/** Listen to the window; returns what ends it. */
export function listenForShortcuts(): () => void {
  const listen = (event: KeyboardEvent) => {
    if (!event.defaultPrevented && !event.isComposing) dispatch(event);
  };
  window.addEventListener("keydown", listen);
  return () => window.removeEventListener("keydown", listen);
}
