import { ActionIcon, Loader, ScrollArea, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ArrowUp, File, Folder as FolderIcon } from "lucide-react";
import { useState } from "react";
import { api, type Folder, tell } from "~/api";
import { count } from "~/ui/format";
import classes from "./transfer.module.css";

/** Choose a folder or a file of the server's computer, by typing its path or by going there. */
export function FolderPicker({ value, onChange }: { value: string; onChange: (path: string) => void }) {
  const [folder, setFolder] = useState("");
  const { data, error, isFetching } = useQuery({
    queryKey: ["folder", folder],
    queryFn: ({ signal }) => api.get<Folder>("/folders", { params: { path: folder }, signal }),
    placeholderData: keepPreviousData,
    staleTime: 5000,
  });
  const goTo = (path: string) => {
    setFolder(path);
    onChange(path);
  };
  return (
    <div className={classes.picker}>
      <TextInput
        label="Folder or file on the server"
        placeholder={data?.path ?? "/path/to/images"}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        onBlur={() => value && value !== folder && setFolder(value)}
        rightSection={isFetching ? <Loader size={12} /> : null}
        leftSection={
          <ActionIcon
            size={20}
            aria-label="Up"
            disabled={!data?.parent}
            onClick={() => data?.parent && goTo(data.parent)}
          >
            <ArrowUp size={14} />
          </ActionIcon>
        }
        data-autofocus
      />
      <ScrollArea.Autosize mah={208} mih={208} className={classes.entries} type="auto">
        {error ? (
          <p className={classes.quiet}>
            {tell(error).what} {tell(error).todo}
          </p>
        ) : (
          data?.items.map((entry) => (
            <button
              key={entry.path}
              type="button"
              className={classes.entry}
              aria-pressed={entry.path === value}
              onClick={() => (entry.is_folder ? goTo(entry.path) : onChange(entry.path))}
            >
              {entry.is_folder ? <FolderIcon size={14} /> : <File size={14} />}
              <span className="cs-truncate">{entry.name}</span>
              {!!entry.images && (
                <span className={classes.entryCount}>
                  {count(entry.images)}
                  {entry.images >= 1000 ? "+" : ""} {entry.images === 1 ? "image" : "images"}
                </span>
              )}
            </button>
          ))
        )}
        {data && !error && data.items.length === 0 && <p className={classes.quiet}>This folder is empty.</p>}
      </ScrollArea.Autosize>
    </div>
  );
}
