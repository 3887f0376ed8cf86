import { Select } from "@mantine/core";
import { useState } from "react";
import { useClasses, useModels } from "~/api";
import { namedFamilies } from "~/models/catalogue";
import { PromptFields } from "~/models/PromptFields";
import { PullAction } from "~/models/PullAction";
import { useCatalogue } from "~/models/queries";
import { isRemote, remoteEntry, remoteName, useRemoteModels } from "~/models/remote";
import { useEditor } from "../context";
import { setUi } from "../ui";
import styles from "./learning.module.css";
import { LABELLING } from "./predict";
import { useLearning } from "./state";

/** Which model predicts here: any that can label, also one that is not taught here; and what a zero-shot one looks for. */
export function ModelChoice({ name }: { name: string }) {
  const { projectId } = useEditor();
  const { data } = useCatalogue();
  const families = useModels().data?.families ?? [];
  const known = (useClasses(projectId).data ?? []).map((each) => each.name);
  const words = useLearning((state) => state.words);
  const [text, setText] = useState("");
  const remote = (useRemoteModels().data ?? []).map(remoteEntry);
  const entries = [...(data?.items ?? []), ...remote].filter(
    (entry) => !entry.needs_boxes && entry.tasks.some((task) => LABELLING.has(task)),
  );
  const entry = entries.find((each) => each.name === name);
  const named = (fits: (each: (typeof entries)[number]) => boolean) =>
    entries.filter(fits).map((each) => each.name);
  const written = /\w:\S/.test(text) ? text.trim() : name && !entry ? name : "";
  const typed = entries.some((each) => each.name === written) ? "" : written;
  const groups = [
    {
      group: "Yours",
      items: named(
        (each) => each.origin === "workspace" || (each.origin === "own" && !isRemote(each.name)),
      ).toReversed(),
    },
    {
      group: "Behind a URL",
      items: entries
        .filter(({ name }) => isRemote(name))
        .map(({ name }) => ({ value: name, label: remoteName(name) })),
    },
    {
      group: "On this computer",
      items: named((each) => each.installed !== null && each.origin !== "workspace" && each.origin !== "own"),
    },
    { group: "By name", items: typed ? [typed] : [] },
    { group: "To be fetched", items: named((each) => each.installed === null) },
  ].filter(({ items }) => items.length > 0);
  const hint = namedFamilies(families, entries)[0];
  return (
    <>
      <Select
        aria-label="Model that predicts"
        placeholder="Choose a model"
        data={groups}
        value={name || null}
        allowDeselect={false}
        searchable
        onSearchChange={setText}
        onChange={(next) => next && setUi({ model: next })}
        maxDropdownHeight={320}
        nothingFoundMessage={hint ? `None. A reference can be typed: ${hint}:NAME` : "None"}
        comboboxProps={{ width: 300, position: "bottom-end" }}
      />
      {entry && <PullAction entry={entry} />}
      {entry?.zero_shot && (
        <div className={styles.words}>
          <PromptFields
            value={words}
            onChange={(next) => useLearning.setState({ words: next })}
            known={known}
          />
        </div>
      )}
    </>
  );
}
