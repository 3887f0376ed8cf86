/** Key combinations as text: `mod+shift+z`, `?`, `g i` (one after the other). `mod` is Command on a Mac, else Control. */

export interface Stroke {
  key: string;
  mod: boolean;
  shift: boolean;
  alt: boolean;
}

type KeyPress = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey"> & {
  code?: string;
};

export const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform ?? "");

/** Read one combination. Letters are lower case; a sign that needs shift (`?`) is written without it. */
export function parseStroke(text: string): Stroke {
  const parts =
    text === "+"
      ? ["+"]
      : text.split("+").map((part, i, all) => (part === "" && i === all.length - 1 ? "+" : part));
  const key = parts.at(-1) ?? "";
  const held = new Set(parts.slice(0, -1));
  return { key: key.toLowerCase(), mod: held.has("mod"), shift: held.has("shift"), alt: held.has("alt") };
}

/** Read `a`, `mod+k` or a sequence `g i`. */
export function parseKeys(text: string): Stroke[] {
  return text.split(" ").filter(Boolean).map(parseStroke);
}

const NAMES: Record<string, string> = {
  " ": "space",
  arrowleft: "left",
  arrowright: "right",
  arrowup: "up",
  arrowdown: "down",
  esc: "escape",
};

/** Whether a key press is this stroke. Shift counts for letters, digits and named keys, not for signs such as `?`. */
export function matches(stroke: Stroke, press: KeyPress, mac = isMac): boolean {
  const raw = press.key.toLowerCase();
  const key = NAMES[raw] ?? raw;
  const mod = mac ? press.metaKey : press.ctrlKey;
  const other = mac ? press.ctrlKey : press.metaKey;
  if (other || mod !== stroke.mod || press.altKey !== stroke.alt) return false;
  const isDigit = /^[0-9]$/.test(stroke.key);
  if (isDigit && press.code === `Digit${stroke.key}`) return press.shiftKey === stroke.shift;
  if (key !== stroke.key) return false;
  const signNeedsShift = key.length === 1 && !/[a-z0-9]/.test(key);
  return signNeedsShift || press.shiftKey === stroke.shift;
}

const SHOWN: Record<string, string> = {
  left: "←",
  right: "→",
  up: "↑",
  down: "↓",
  escape: "Esc",
  enter: "Enter",
  space: "Space",
  delete: "Del",
  backspace: "⌫",
  tab: "Tab",
  alt: "Alt",
  pageup: "PgUp",
  pagedown: "PgDn",
  home: "Home",
  end: "End",
};

/** The keys of a combination as they stand on the keyboard: `["Ctrl", "Z"]`. A sequence gets `then` between. */
export function showKeys(text: string, mac = isMac): string[] {
  return parseKeys(text).flatMap((stroke, i) => [
    ...(i ? ["then"] : []),
    ...(stroke.mod ? [mac ? "⌘" : "Ctrl"] : []),
    ...(stroke.alt ? [mac ? "⌥" : "Alt"] : []),
    ...(stroke.shift ? [mac ? "⇧" : "Shift"] : []),
    SHOWN[stroke.key] ?? (stroke.key.length === 1 ? stroke.key.toUpperCase() : stroke.key),
  ]);
}
