import { useEffect, useMemo, useRef, useState } from "react";
import { ClassDot } from "~/ui/ClassChip";
import { useEditor } from "./context";
import classes from "./editor.module.css";
import { type Picker, setUi, useUi } from "./ui";

const WIDTH = 220;
const HEIGHT = 280;

/** The classes at the cursor: type to find one, Enter takes it or makes it. */
export function ClassPicker() {
  const picker = useUi((ui) => ui.picker);
  return picker ? <Open picker={picker} /> : null;
}

function Open({ picker }: { picker: Picker }) {
  const { controller, labelClasses } = useEditor();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [recent] = useState(() => useUi.getState().recent);
  const list = useRef<HTMLUListElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const items = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    // Without a word the classes that were chosen last come first: Enter takes the one before.
    const rank = (name: string) => (wanted || !recent.includes(name) ? recent.length : recent.indexOf(name));
    const found = labelClasses
      .toSorted((a, b) => rank(a.name) - rank(b.name))
      .filter((each) => each.name.toLowerCase().includes(wanted))
      .map(({ name, color }) => ({ name, color, made: true }));
    const exact = labelClasses.some((each) => each.name === text.trim());
    return text.trim() && !exact
      ? [...found, { name: text.trim(), color: "var(--cs-faint)", made: false }]
      : found;
  }, [labelClasses, recent, text]);
  const close = () => setUi({ picker: null });
  useEffect(() => {
    const outside = (event: PointerEvent) =>
      !root.current?.contains(event.target as Node) && setUi({ picker: null });
    const timer = setTimeout(() => window.addEventListener("pointerdown", outside), 0);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pointerdown", outside);
    };
  }, []);
  const take = (index: number) => {
    const item = items[index];
    if (item) controller.edits.chooseClass(item.name);
  };
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const key = (event: React.KeyboardEvent) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter") take(at);
    else if (event.key === "ArrowDown") setAt((now) => Math.min(items.length - 1, now + 1));
    else if (event.key === "ArrowUp") setAt((now) => Math.max(0, now - 1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const stage = controller.engine?.stage ?? { width: 1e4, height: 1e4 };
  const left = Math.max(8, Math.min(picker.at.x + 8, stage.width - WIDTH - 8));
  const top = Math.max(8, Math.min(picker.at.y + 8, stage.height - HEIGHT - 8));
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the field inside
    <div className={classes.picker} style={{ left, top, width: WIDTH }} ref={root} onKeyDown={key}>
      <input
        // biome-ignore lint/a11y/noAutofocus: it has come up to be typed in
        autoFocus
        className={classes.pickerField}
        placeholder={labelClasses.length ? "Find or make a class" : "What is it? A class …"}
        aria-label="Class"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
      />
      <ul className={classes.pickerItems} ref={list}>
        {items.map((item, i) => (
          <li key={item.name}>
            <button
              type="button"
              className={classes.pickerItem}
              data-active={i === at || undefined}
              onMouseEnter={() => setAt(i)}
              onClick={() => take(i)}
            >
              <ClassDot color={item.color} />
              <span className="cs-truncate">{item.made ? item.name : `Make “${item.name}”`}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
