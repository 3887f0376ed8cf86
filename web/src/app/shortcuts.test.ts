import { afterEach, describe, expect, it, vi } from "vitest";
import { matches, parseStroke, showKeys } from "./keys";
import { bindShortcuts, defineShortcuts, dispatch, type Handler } from "./shortcuts";

let time = 0;
function press(key: string, held: Partial<KeyboardEvent> = {}): KeyboardEvent {
  time += 10;
  const off = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, repeat: false };
  return {
    key,
    timeStamp: time,
    preventDefault: vi.fn(),
    stopPropagation: vi.fn(),
    ...off,
    ...held,
  } as unknown as KeyboardEvent;
}

const undo: Array<() => void> = [];
function bind(title: string, keys: Record<string, string[]>, handlers: Record<string, Handler>, extra = {}) {
  const shortcuts = Object.fromEntries(
    Object.entries(keys).map(([id, each]) => [id, { keys: each, label: id, ...extra }]),
  );
  undo.push(bindShortcuts(defineShortcuts(title, shortcuts), () => handlers));
}
afterEach(() => {
  for (const each of undo.splice(0)) each();
  time += 5000;
});

describe("strokes", () => {
  const fits = (text: string, key: string, held: Partial<KeyboardEvent> = {}) =>
    matches(parseStroke(text), press(key, held), false);
  it("tells modifiers apart", () => {
    expect(fits("mod+z", "z", { ctrlKey: true })).toBe(true);
    expect(fits("mod+z", "z")).toBe(false);
    expect(fits("mod+z", "Z", { ctrlKey: true, shiftKey: true })).toBe(false);
    expect(fits("mod+shift+z", "Z", { ctrlKey: true, shiftKey: true })).toBe(true);
    expect(matches(parseStroke("mod+z"), press("z", { metaKey: true }), true)).toBe(true);
  });
  it("takes signs however the keyboard makes them", () => {
    expect(fits("?", "?", { shiftKey: true })).toBe(true);
    expect(fits("/", "/")).toBe(true);
    expect(fits("+", "+", { shiftKey: true })).toBe(true);
    expect(fits("mod++", "+", { ctrlKey: true })).toBe(true);
  });
  it("takes digits with shift by their key", () => {
    expect(fits("shift+1", "!", { shiftKey: true, code: "Digit1" })).toBe(true);
    expect(fits("1", "!", { shiftKey: true, code: "Digit1" })).toBe(false);
    expect(fits("1", "1", { code: "Numpad1" })).toBe(true);
  });
  it("knows arrows by short names", () => expect(fits("left", "ArrowLeft")).toBe(true));
  it("shows keys", () => expect(showKeys("mod+shift+z", false)).toEqual(["Ctrl", "Shift", "Z"]));
});

describe("the registry", () => {
  it("asks the scope that came last first", () => {
    const [below, above] = [vi.fn(), vi.fn()];
    bind("below", { a: ["a"] }, { a: below });
    bind("above", { a: ["a"] }, { a: above });
    expect(dispatch(press("a"), false, false)).toBe(true);
    expect(above).toHaveBeenCalledOnce();
    expect(below).not.toHaveBeenCalled();
  });
  it("goes on where a handler says not now", () => {
    const below = vi.fn();
    bind("below", { a: ["a"] }, { a: below });
    bind("above", { a: ["a"] }, { a: () => false });
    dispatch(press("a"), false, false);
    expect(below).toHaveBeenCalledOnce();
  });
  it("is silent while somebody types, but for what says otherwise", () => {
    const [plain, always] = [vi.fn(), vi.fn()];
    bind("plain", { a: ["a"] }, { a: plain });
    bind("always", { b: ["mod+b"] }, { b: always }, { inFields: true });
    dispatch(press("a"), true, false);
    dispatch(press("b", { ctrlKey: true }), true, false);
    expect(plain).not.toHaveBeenCalled();
    expect(always).toHaveBeenCalledOnce();
  });
  it("runs sequences, and only in time", () => {
    const go = vi.fn();
    bind("go", { images: ["g i"] }, { images: go });
    expect(dispatch(press("g"), false, false)).toBe(false);
    expect(dispatch(press("i"), false, false)).toBe(true);
    dispatch(press("g"), false, false);
    time += 2000;
    expect(dispatch(press("i"), false, false)).toBe(false);
    expect(go).toHaveBeenCalledOnce();
  });
  it("repeats only what may", () => {
    const once = vi.fn();
    bind("once", { a: ["a"] }, { a: once });
    dispatch(press("a", { repeat: true }), false, false);
    expect(once).not.toHaveBeenCalled();
  });
});
