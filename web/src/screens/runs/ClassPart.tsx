import { MultiSelect } from "@mantine/core";
import { useState } from "react";
import { type CatalogueEntry, useClasses } from "~/api";
import { counted, type LabelMap } from "~/models/classes";
import { LabelMapDialog } from "~/models/LabelMapDialog";
import { PromptFields } from "~/models/PromptFields";
import { useCatalogueModel } from "~/models/queries";
import { count, many } from "~/ui";
import type { Plan } from "./plan";
import classes from "./runs.module.css";

interface Props {
  projectId: number;
  plan: Plan;
  set: (part: Partial<Plan>) => void;
  card: CatalogueEntry | undefined;
  map: LabelMap;
}

/** Which classes a run looks for, and what they become: words for a zero-shot model, else a choice of the model's list. */
export function ClassPart({ projectId, plan, set, card, map }: Props) {
  const project = (useClasses(projectId).data ?? []).map((each) => each.name);
  if (plan.method === "existing") {
    return (
      <Chosen
        plan={plan}
        set={set}
        known={project}
        placeholder="All that the field has"
        disabled={!plan.boxesField}
      />
    );
  }
  if (card?.zero_shot)
    return <PromptFields value={plan.words} onChange={(words) => set({ words })} known={project} />;
  return <Fixed projectId={projectId} plan={plan} set={set} card={card} map={map} />;
}

function Fixed({ projectId, plan, set, card, map }: Props) {
  const [editing, setEditing] = useState(false);
  const whole = card && "class_names" in card ? card : undefined;
  const asked = useCatalogueModel(card && !whole ? card.name : "").data;
  const known = [...new Set((whole ?? asked)?.class_names as string[] | undefined)];
  const { used, ignored } = counted(map, plan.chosen);
  const own = Object.entries(map).every(([from, to]) => from === to || to === "");
  return (
    <div>
      <Chosen
        plan={plan}
        set={set}
        known={known}
        placeholder={card ? `All ${count(card.classes)}` : "All"}
        disabled={!card}
      />
      {Object.keys(map).length > 0 && (
        <p className={classes.mapLine}>
          <span>
            {used === 0
              ? "No class is used: all are ignored"
              : `${many(used, "class", "classes")} used${own ? " under their own names" : ""}`}
            {used > 0 && ignored > 0 && `, ${count(ignored)} ignored`}
          </span>
          <button type="button" className="cs-link" onClick={() => setEditing(true)}>
            Label map …
          </button>
        </p>
      )}
      {card && (
        <LabelMapDialog
          opened={editing}
          projectId={projectId}
          model={plan.model}
          map={map}
          onSaved={(next) => set({ map: next })}
          onClose={() => setEditing(false)}
        />
      )}
    </div>
  );
}

interface ChosenProps extends Pick<Props, "plan" | "set"> {
  known: readonly string[];
  placeholder: string;
  disabled: boolean;
}

function Chosen({ plan, set, known, placeholder, disabled }: ChosenProps) {
  return (
    <MultiSelect
      label="Classes"
      placeholder={plan.chosen.length > 0 ? "" : placeholder}
      data={[...known]}
      value={[...plan.chosen]}
      onChange={(chosen) => set({ chosen })}
      limit={200}
      searchable
      clearable
      disabled={disabled}
      nothingFoundMessage="There is no such class."
    />
  );
}
