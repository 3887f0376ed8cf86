import { Collapse, SegmentedControl, Select, TagsInput, TextInput } from "@mantine/core";
import { ChevronRight } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { api, isAbort, type Operation, useFormats, useSession } from "~/api";
import { bytes, count } from "~/ui/format";
import { ProgressRow } from "~/ui/ProgressRow";
import { DropZone } from "./DropZone";
import type { Dropped } from "./dropped";
import { FolderPicker } from "./FolderPicker";
import classes from "./transfer.module.css";
import { type UploadProgress, upload } from "./upload";

export interface ImportSource {
  from: "folder" | "upload";
  path: string;
  files: Dropped[];
  format: string;
  field: string;
  split: string;
  tags: string[];
}

export const EMPTY_SOURCE: ImportSource = {
  from: "folder",
  path: "",
  files: [],
  format: "auto",
  field: "ground_truth",
  split: "",
  tags: [],
};

export function isReady(source: ImportSource): boolean {
  return source.from === "folder" ? source.path.trim() !== "" : source.files.length > 0;
}

interface Props {
  source: ImportSource;
  onChange: (source: ImportSource) => void;
}

/** Where images and labels come from, and how they are to be read. */
export function ImportForm({ source, onChange }: Props) {
  const session = useSession();
  const formats = useFormats();
  const [more, setMore] = useState(false);
  const set = (part: Partial<ImportSource>) => onChange({ ...source, ...part });
  const paths = session.data?.paths_allowed ?? true;
  const from = paths ? source.from : "upload";
  useEffect(() => {
    if (from !== source.from) onChange({ ...source, from });
  });
  return (
    <div className={classes.form}>
      {paths && (
        <SegmentedControl
          fullWidth
          aria-label="Where from"
          value={from}
          onChange={(value) => set({ from: value as ImportSource["from"] })}
          data={[
            { value: "folder", label: "A folder on the server" },
            { value: "upload", label: "Files from this computer" },
          ]}
        />
      )}
      {from === "folder" ? (
        <FolderPicker value={source.path} onChange={(path) => set({ path })} />
      ) : (
        <DropZone files={source.files} onChange={(files) => set({ files })} />
      )}
      <button type="button" className={classes.more} aria-expanded={more} onClick={() => setMore(!more)}>
        <ChevronRight size={14} />
        How to read it
        <span className={classes.moreNote}>
          {source.format === "auto" ? "labels found by themselves" : source.format}, into {source.field}
        </span>
      </button>
      <Collapse expanded={more}>
        <div className={classes.two}>
          <Select
            label="Label format"
            data={[
              { value: "auto", label: "Find out" },
              { value: "none", label: "Images only" },
              ...(formats.data ?? [])
                .filter((each) => each.reads)
                .map((each) => ({ value: each.name, label: each.title })),
            ]}
            value={source.format}
            onChange={(format) => format && set({ format })}
            allowDeselect={false}
          />
          <TextInput
            label="Labels into field"
            value={source.field}
            onChange={(event) => set({ field: event.currentTarget.value })}
            disabled={source.format === "none"}
          />
          <TextInput
            label="Split of the images"
            placeholder="as the labels say"
            value={source.split}
            onChange={(event) => set({ split: event.currentTarget.value })}
          />
          <TagsInput label="Tags of the images" value={source.tags} onChange={(tags) => set({ tags })} />
        </div>
      </Collapse>
    </div>
  );
}

/** Runs an import: uploads first where that is needed. `operation` is what to follow once the server has begun. */
export function useImport() {
  const [progress, setProgress] = useState<UploadProgress | null>(null);
  const [operation, setOperation] = useState<Operation | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const start = async (project: number, source: ImportSource) => {
    const { format, split, tags } = source;
    const settings = { format, field: source.field.trim() || "ground_truth", split: split.trim(), tags };
    stop.current = new AbortController();
    setBusy(true);
    setError(null);
    setOperation(null);
    try {
      if (source.from === "folder") {
        const body = { path: source.path.trim(), ...settings };
        setOperation(await api.post<Operation>(`/projects/${project}/import`, { body }));
      } else {
        const id = await upload(project, source.files, setProgress, stop.current.signal);
        setOperation(await api.post<Operation>(`/uploads/${id}/import`, { body: settings }));
      }
    } catch (reason) {
      if (!isAbort(reason)) setError(reason);
    } finally {
      setBusy(false);
      setProgress(null);
    }
  };
  const cancel = () => stop.current?.abort();
  const reset = () => {
    setOperation(null);
    setError(null);
  };
  return { start, cancel, reset, progress, operation, error, busy };
}

export function UploadRow({ progress }: { progress: UploadProgress }) {
  return (
    <ProgressRow
      title={`Sending ${count(progress.totalFiles)} files`}
      done={Math.round(progress.bytes / 1000)}
      total={Math.max(1, Math.round(progress.totalBytes / 1000))}
      note={`${bytes(progress.bytes)} of ${bytes(progress.totalBytes)}`}
    />
  );
}
