import { ActionIcon, Button, Menu, Popover, TagsInput, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Download, Sparkles, Split, Tag, X } from "lucide-react";
import { useState } from "react";
import { useLocation, useSearch } from "wouter";
import { api, type Count, type Facets } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { targetOf, type View } from "~/app/view";
import { many } from "~/ui/format";
import { forgetImages } from "./data";
import classes from "./images.module.css";

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
  const update = async (
    what: { split?: string; add_tags?: string[]; remove_tags?: string[] },
    done: string,
  ) => {
    onPanel(null);
    try {
      const body = { ...targetOf(view), ...what };
      const { count } = await api.patch<Count>(`/projects/${projectId}/images`, { body });
      forgetImages(client, projectId);
      notifyDone(`${many(count, "image")}: ${done}`);
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
        onChoose={(split) => void update({ split }, split ? `split is now ${split}` : "without a split now")}
      />
      <TagsMenu
        opened={panel === "tags"}
        onOpen={(open) => onPanel(open ? "tags" : null)}
        tags={facets?.tags.map((each) => each.name) ?? []}
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
  onChoose: (split: string) => void;
}) {
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
          <Menu.Item key={split} onClick={() => props.onChoose(split)}>
            {split}
          </Menu.Item>
        ))}
        <Menu.Item c="dimmed" onClick={() => props.onChoose("")}>
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

function TagsMenu(props: {
  opened: boolean;
  onOpen: (open: boolean) => void;
  tags: string[];
  onApply: (add: string[], remove: string[]) => void;
}) {
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const apply = () => {
    props.onApply(add, remove);
    setAdd([]);
    setRemove([]);
  };
  return (
    <Popover opened={props.opened} onChange={props.onOpen} position="top" width={280} trapFocus shadow="md">
      <Popover.Target>
        <Button variant="default" leftSection={<Tag size={14} />} onClick={() => props.onOpen(!props.opened)}>
          Tags
        </Button>
      </Popover.Target>
      <Popover.Dropdown style={{ display: "flex", flexDirection: "column", gap: 8 }}>
        <TagsInput
          label="Add"
          placeholder={add.length ? "" : "Type a tag, press Enter"}
          data={props.tags}
          value={add}
          onChange={setAdd}
          comboboxProps={{ withinPortal: false }}
          data-autofocus
        />
        <TagsInput
          label="Take off"
          placeholder={remove.length ? "" : "None"}
          data={props.tags}
          value={remove}
          onChange={setRemove}
          comboboxProps={{ withinPortal: false }}
        />
        <Button onClick={apply} disabled={add.length + remove.length === 0}>
          Apply
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
