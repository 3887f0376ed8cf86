/** The left sidebar: the field, the classes, the class of the image, and the labels of the image as a list. */
import { Select } from "@mantine/core";
import { useLocation } from "wouter";
import type { Field } from "~/api";
import { ClassList } from "./ClassList";
import { useEditor } from "./context";
import classes from "./editor.module.css";
import { LabelList } from "./LabelList";

export function LabelsPanel({ fields }: { fields: readonly Field[] }) {
  const { field } = useEditor();
  const [path, go] = useLocation();
  const names = [...new Set([field, "ground_truth", ...fields.map((each) => each.name)])].sort();
  const choose = (name: string | null) => {
    const params = new URLSearchParams(window.location.search);
    if (name) params.set("field", name);
    go(`${path}?${params}`, { replace: true });
  };
  return (
    <>
      {names.length > 1 && (
        <div className={classes.fieldChoice}>
          <Select
            aria-label="Label field"
            data={names}
            value={field}
            onChange={choose}
            allowDeselect={false}
            comboboxProps={{ shadow: "md" }}
          />
        </div>
      )}
      <ClassList />
      <LabelList />
    </>
  );
}
