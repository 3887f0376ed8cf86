import { ActionIcon, Checkbox, TextInput, Tooltip } from "@mantine/core";
import { Pencil, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import type { LabelClass } from "~/api";
import { ClassDot } from "~/ui/ClassChip";
import { KeyHint } from "~/ui/KeyHint";
import { ClassEditor } from "./ClassEditor";
import styles from "./classList.module.css";
import { useEditor, useLabels } from "./context";
import classes from "./editor.module.css";
import { useUi } from "./ui";

const KEYED = 10; // classes with a number key; more of them can be searched

/** Classes with their number keys: a click chooses the class for what is drawn next, and relabels the selection. */
export function ClassList() {
  const { controller, labelClasses, readOnly } = useEditor();
  const active = useUi((ui) => ui.activeClass);
  const labels = useLabels();
  const [edited, setEdited] = useState<LabelClass | "new" | null>(null);
  const [wanted, setWanted] = useState("");
  const many = labelClasses.length > KEYED;
  const found = labelClasses.flatMap((each, i) =>
    !many || each.name.toLowerCase().includes(wanted.trim().toLowerCase()) ? { each, i } : [],
  );
  const { counts, ofImage } = useMemo(() => {
    const counted = new Map<string, number>();
    const whole = new Set<string>();
    for (const label of labels) {
      counted.set(label.className, (counted.get(label.className) ?? 0) + 1);
      if (!label.geometry) whole.add(label.className);
    }
    return { counts: counted, ofImage: whole };
  }, [labels]);
  return (
    <section className={styles.classes} aria-label="Classes">
      <div className={classes.head}>
        <h2>Classes</h2>
        <Tooltip label="New class">
          <ActionIcon size={22} aria-label="New class" onClick={() => setEdited("new")}>
            <Plus size={15} />
          </ActionIcon>
        </Tooltip>
      </div>
      {labelClasses.length === 0 && (
        <p className={classes.quiet}>
          No class yet. Draw something: you are asked what it is. Or add one here.
        </p>
      )}
      {many && (
        <div className={styles.classSearch}>
          <TextInput
            size="xs"
            placeholder={`Find one of ${labelClasses.length} classes`}
            aria-label="Find a class"
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && found[0]) controller.edits.chooseClass(found[0].each.name);
              else if (event.key !== "Escape") return;
              setWanted("");
              event.currentTarget.blur();
              event.stopPropagation();
            }}
          />
        </div>
      )}
      <ul className={styles.classItems}>
        {many && !found.length && (
          <li className={classes.quiet}>No class has “{wanted.trim()}” in its name.</li>
        )}
        {found.map(({ each, i }) => (
          <li key={each.id} className={styles.classItem} data-active={each.name === active || undefined}>
            <button
              type="button"
              className={styles.classButton}
              aria-pressed={each.name === active}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => controller.edits.chooseClass(each.name)}
            >
              <ClassDot color={each.color} />
              <span className="cs-truncate">{each.name}</span>
              <span className={styles.count}>{counts.get(each.name) ?? ""}</span>
            </button>
            <ActionIcon
              size={22}
              className={styles.onHover}
              aria-label={`Change ${each.name}`}
              onClick={() => setEdited(each)}
            >
              <Pencil size={13} />
            </ActionIcon>
            <Tooltip label={`The whole image is “${each.name}”${i < 10 ? ` (Shift + ${(i + 1) % 10})` : ""}`}>
              <Checkbox
                size="xs"
                aria-label={`The whole image is ${each.name}`}
                className={ofImage.has(each.name) ? undefined : styles.onHover}
                checked={ofImage.has(each.name)}
                disabled={readOnly}
                onChange={() => controller.edits.toggleImageClass(each.name)}
              />
            </Tooltip>
            <span className={styles.key}>{i < 10 ? <KeyHint keys={String((i + 1) % 10)} /> : null}</span>
          </li>
        ))}
      </ul>
      {edited && <ClassEditor edited={edited === "new" ? null : edited} close={() => setEdited(null)} />}
    </section>
  );
}
