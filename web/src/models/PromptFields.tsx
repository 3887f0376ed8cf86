import { Collapse, TagsInput } from "@mantine/core";
import { useState } from "react";
import { DiscloseButton } from "~/ui/Disclose";
import { SPLIT, splitList, type Wanted } from "./classes";
import styles from "./models.module.css";

interface Props {
  value: Wanted;
  onChange: (value: Wanted) => void;
  /** Classes of the project, to choose from. */
  known: readonly string[];
  error?: string;
}

/** What a zero-shot model shall look for: classes, and below them the texts that stand for each, and what to leave out. */
export function PromptFields({ value, onChange, known, error }: Props) {
  const [open, setOpen] = useState(value.negative.length > 0 || Object.keys(value.texts).length > 0);
  const set = (part: Partial<Wanted>) => onChange({ ...value, ...part });
  const missing = known.filter((name) => !value.classes.includes(name));
  return (
    <div className={styles.prompts}>
      <TagsInput
        label="Look for"
        description="Any words. Paste a list: commas or a line each."
        placeholder={value.classes.length === 0 ? "person, traffic light …" : ""}
        data={[...known]}
        value={[...value.classes]}
        onChange={(names) => set({ classes: splitList(names.join("\n")) })}
        splitChars={SPLIT}
        acceptValueOnBlur
        clearable
        maxDropdownHeight={200}
        error={error}
      />
      <div className={styles.links}>
        <DiscloseButton open={open} onClick={() => setOpen(!open)}>
          Prompts of a class, and what to leave out
        </DiscloseButton>
        {missing.length > 0 && known.length > 0 && (
          <button
            type="button"
            className="cs-link"
            onClick={() => set({ classes: [...value.classes, ...missing] })}
          >
            Add the project's ({missing.length})
          </button>
        )}
      </div>
      <Collapse expanded={open}>
        <div className={styles.promptRows}>
          {value.classes.map((name) => (
            <div key={name}>
              <span className="cs-truncate" title={name}>
                {name}
              </span>
              <TagsInput
                aria-label={`Prompts of ${name}`}
                placeholder={value.texts[name]?.length ? "" : `“${name}”, or other words for it`}
                value={[...(value.texts[name] ?? [])]}
                onChange={(texts) => set({ texts: { ...value.texts, [name]: splitList(texts.join("\n")) } })}
                splitChars={SPLIT}
                acceptValueOnBlur
              />
            </div>
          ))}
          <div>
            <span>leave out</span>
            <TagsInput
              aria-label="Leave out"
              placeholder={value.negative.length ? "" : "What looks alike and is none of them"}
              value={[...value.negative]}
              onChange={(texts) => set({ negative: splitList(texts.join("\n")) })}
              splitChars={SPLIT}
              acceptValueOnBlur
            />
          </div>
        </div>
      </Collapse>
    </div>
  );
}
