import { ActionIcon, Loader, ScrollArea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ArrowUp, CircleCheck, File, Folder as FolderIcon } from "lucide-react";
import { type KeyboardEvent, useRef } from "react";
import { tell } from "~/api";
import { count } from "~/ui/format";
import { fitting, follow } from "./folder";
import classes from "./transfer.module.css";

/** Choose a folder or a file of the server's computer, by typing its path or by going there. */
export function FolderPicker({ value, onChange }: { value: string; onChange: (path: string) => void }) {
  const typed = value.trim();
  const [path] = useDebouncedValue(typed, 150);
  const list = useRef<HTMLDivElement>(null);
  const { data, error, isFetching } = useQuery({
    queryKey: ["folder", path],
    queryFn: ({ signal }) => follow(path, signal),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 5000,
  });
  const folder = error ? undefined : data?.folder;
  const exact = folder?.items.find((entry) => entry.path === typed);
  const entries = folder ? fitting(folder.items, exact ? "" : (data?.part ?? "")) : [];
  const isThere = typed !== "" && path === typed && !error && (data?.part === "" || exact !== undefined);

  /** Down from the field into the list, up and down in it, and back. */
  const walk = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement) + step;
    if (at < 0) document.getElementById(FIELD)?.focus();
    else buttons[Math.min(at, buttons.length - 1)]?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the controls in it
    <div className={classes.picker} onKeyDown={walk}>
      <TextInput
        id={FIELD}
        label="Folder or file on the server"
        placeholder={folder?.path ?? "/path/to/images"}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
        rightSection={
          isFetching ? (
            <Loader size={12} />
          ) : isThere ? (
            <CircleCheck size={14} color="var(--cs-accent)" aria-label="It is there" />
          ) : null
        }
        leftSection={
          <ActionIcon
            size={20}
            aria-label="Up"
            disabled={!folder?.parent}
            onClick={() => folder && onChange(data?.part ? folder.path : (folder.parent ?? folder.path))}
          >
            <ArrowUp size={14} />
          </ActionIcon>
        }
        data-autofocus
      />
      <ScrollArea.Autosize
        mah={208}
        mih={208}
        className={classes.entries}
        type="auto"
        viewportRef={list}
        aria-busy={isFetching}
      >
        {error && (
          <p className={classes.quiet}>
            {tell(error).what} {tell(error).todo}
          </p>
        )}
        {entries.map((entry) => (
          <button
            key={entry.path}
            type="button"
            className={classes.entry}
            aria-pressed={entry.path === typed}
            onClick={() => onChange(entry.path)}
          >
            {entry.is_folder ? <FolderIcon size={14} /> : <File size={14} />}
            <span className="cs-truncate" title={entry.name}>
              {entry.name}
            </span>
            {!!entry.images && (
              <span className={classes.entryCount}>
                {count(entry.images)}
                {entry.images >= 1000 ? "+" : ""} {entry.images === 1 ? "image" : "images"}
              </span>
            )}
          </button>
        ))}
        {folder && entries.length === 0 && (
          <p className={classes.quiet}>
            {data?.part ? `Nothing in ${folder.path} is called “${data.part}”.` : "This folder is empty."}
          </p>
        )}
        {folder?.truncated && <p className={classes.quiet}>There is more in it. Type a part of the name.</p>}
      </ScrollArea.Autosize>
    </div>
  );
}

const FIELD = "server-folder";
