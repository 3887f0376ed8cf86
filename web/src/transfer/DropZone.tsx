import { Button } from "@mantine/core";
import { Upload } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { bytes, many } from "~/ui/format";
import { chosenFiles, type Dropped, droppedFiles } from "./dropped";
import classes from "./transfer.module.css";

interface Props {
  files: readonly Dropped[];
  onChange: (files: Dropped[]) => void;
}

/** Where files and folders are dropped, or chosen. */
export function DropZone({ files, onChange }: Props) {
  const [over, setOver] = useState(false);
  const fileInput = useRef<HTMLInputElement>(null);
  const folderInput = useRef<HTMLInputElement>(null);
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const found = await droppedFiles(event.dataTransfer);
    onChange([...files, ...found.filter((each) => !files.some((known) => known.path === each.path))]);
  };
  const size = files.reduce((sum, each) => sum + each.file.size, 0);
  return (
    <section
      className={classes.drop}
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => void drop(event)}
      aria-label="Files to upload"
    >
      <Upload size={24} />
      {files.length === 0 ? (
        <>
          <strong>Drop images, label files or folders here</strong>
          <p>Labels that lie beside the images (COCO, YOLO, VOC, labelme, CSV …) come along.</p>
        </>
      ) : (
        <>
          <strong>
            {many(files.length, "file")} · {bytes(size)}
          </strong>
          <p className="cs-truncate">
            {files
              .slice(0, 3)
              .map((each) => each.path)
              .join(", ")}
            {files.length > 3 ? " …" : ""}
          </p>
        </>
      )}
      <div className={classes.dropButtons}>
        <Button variant="default" onClick={() => fileInput.current?.click()}>
          Choose files
        </Button>
        <Button variant="default" onClick={() => folderInput.current?.click()}>
          Choose a folder
        </Button>
        {files.length > 0 && (
          <Button variant="subtle" color="gray" onClick={() => onChange([])}>
            Clear
          </Button>
        )}
      </div>
      <input
        ref={fileInput}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={(event) => onChange(chosenFiles(event.currentTarget.files ?? []))}
      />
      <input
        ref={folderInput}
        type="file"
        hidden
        aria-label="Folder"
        {...{ webkitdirectory: "" }}
        onChange={(event) => onChange(chosenFiles(event.currentTarget.files ?? []))}
      />
    </section>
  );
}
