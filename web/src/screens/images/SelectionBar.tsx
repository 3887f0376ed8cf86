import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Download, Sparkles, Split, X } from "lucide-react";
import { useState } from "react";
import { useLocation, useSearch } from "wouter";
import { api, type Count, type Facets, type NamedCount } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { targetOf, type View } from "~/app/view";
import { count, many } from "~/ui/format";
import { forgetImages, useSelectionFacets } from "./data";
import classes from "./images.module.css";
import { TagsMenu } from "./TagsMenu";

const NONE: readonly string[] = [];

export type Panel = "split" | "tags" | null;

interface Props {
  projectId: number;
  view: View;
  size: number;
  facets: Facets | undefined;
  panel: Panel;
  onPanel: (panel: Panel) => void;
  onClear: () => void;
  onExport: () => void;
}

/** What may be done with the selected images. */
export function SelectionBar({ projectId, view, size, facets, panel, onPanel, onClear, onExport }: Props) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const search = useSearch();
  const inSelection = useSelectionFacets(projectId, view, panel !== null);
  const update = async (
    what: { split?: string; add_tags?: string[]; remove_tags?: string[] },
    done: string,
  ) => {
    onPanel(null);
    try {
      const body = { ...targetOf(view), ...what };
      const { count: changed } = await api.patch<Count>(`/projects/${projectId}/images`, { body });
      forgetImages(client, projectId);
      notifyDone(`${many(changed, "image")}: ${done}`);
    } catch (error) {
      notifyError("The images could not be changed", error);
    }
  };
  return (
    <div className={classes.bar} role="toolbar" aria-label="Selected images">
      <span>
        <strong>{many(size, "image")}</strong> selected
      </span>
      <SplitMenu
        opened={panel === "split"}
        onOpen={(open) => onPanel(open ? "split" : null)}
        splits={facets?.splits.map((each) => each.name).filter(Boolean) ?? []}
        now={inSelection?.splits}
        size={size}
        onChoose={(split) => void update({ split }, split ? `split is now ${split}` : "without a split now")}
      />
      <TagsMenu
        opened={panel === "tags"}
        onOpen={(open) => onPanel(open ? "tags" : null)}
        known={facets?.tags.map((each) => each.name) ?? NONE}
        inSelection={inSelection?.tags}
        size={size}
        onApply={(add, remove) => {
          const words = [...add.map((tag) => `+${tag}`), ...remove.map((tag) => `−${tag}`)].join(" ");
          void update({ add_tags: add, remove_tags: remove }, words);
        }}
      />
      <Button
        variant="default"
        leftSection={<Sparkles size={14} />}
        onClick={() => go(`${paths.runs(projectId)}?${search}&new=1`)}
      >
        Auto label
      </Button>
      <Button variant="default" leftSection={<Download size={14} />} onClick={onExport}>
        Export
      </Button>
      <ActionIcon aria-label="Clear the selection" onClick={onClear}>
        <X size={16} />
      </ActionIcon>
    </div>
  );
}

const USUAL = ["train", "val", "test"];

function SplitMenu(props: {
  opened: boolean;
  onOpen: (open: boolean) => void;
  splits: string[];
  /** How many of the selected images have which split; not given: not known (yet). */
  now?: readonly NamedCount[];
  size: number;
  onChoose: (split: string) => void;
}) {
  const share = (split: string) => {
    const found = props.now?.find((each) => each.name === split)?.count ?? 0;
    return found ? (
      <span className={classes.facetCount}>{found === props.size ? "all" : count(found)}</span>
    ) : null;
  };
  const [name, setName] = useState("");
  const known = [...new Set([...USUAL, ...props.splits])];
  return (
    <Menu opened={props.opened} onChange={props.onOpen} position="top" width={200}>
      <Menu.Target>
        <Button variant="default" leftSection={<Split size={14} />}>
          Split
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {known.map((split) => (
          <Menu.Item key={split} rightSection={share(split)} onClick={() => props.onChoose(split)}>
            {split}
          </Menu.Item>
        ))}
        <Menu.Item c="dimmed" rightSection={share("")} onClick={() => props.onChoose("")}>
          no split
        </Menu.Item>
        <Menu.Divider />
        <form
          style={{ padding: 4 }}
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) props.onChoose(name.trim());
          }}
        >
          <TextInput
            aria-label="Another split"
            placeholder="Another …"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            onKeyDown={(event) => event.key !== "Escape" && event.stopPropagation()}
          />
        </form>
      </Menu.Dropdown>
    </Menu>
  );
}
