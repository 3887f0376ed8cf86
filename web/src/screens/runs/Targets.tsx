import { Radio } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Count, keys, useFields, useProject } from "~/api";
import { ALL_IMAGES, formatQuery } from "~/api/image-query";
import { targetOf, type View } from "~/app/view";
import { many } from "~/ui";
import { type Aim, firstAim } from "./plan";
import classes from "./runs.module.css";

const TRUTH = "ground_truth";
const UNLABELLED = formatQuery({ ...ALL_IMAGES, withoutLabels: [TRUTH] });

function useCount(projectId: number, query: string, on: boolean): number | undefined {
  const { data } = useQuery({
    queryKey: [...keys.images(projectId), "count", query],
    queryFn: ({ signal }) =>
      api.get<Count>(`/projects/${projectId}/images/count`, { params: { query }, signal }),
    enabled: on,
    staleTime: 5_000,
  });
  return data?.count;
}

function useUnlabelled(projectId: number, verified: boolean | undefined, all: number | undefined) {
  const found = useCount(projectId, UNLABELLED, verified === true);
  return verified === false ? all : found;
}

/** Which images a run is for: all, those without labels, the grid's filter or its selection; with counts. */
export function useTarget(projectId: number, view: View) {
  const selected = !view.selection.all && view.selection.ids.size > 0;
  const filtered = view.text !== "";
  const [aim, setAim] = useState<Aim>(() => firstAim(selected, filtered));
  const project = useProject(projectId).data;
  const fields = useFields(projectId).data;
  // Before anything is verified there is no such field, and no image has a label in it.
  const verified = fields?.some((field) => field.name === TRUTH);
  const counts: Record<Aim, number | undefined> = {
    all: project?.images,
    unlabelled: useUnlabelled(projectId, verified, project?.images),
    filter: useCount(projectId, view.text, filtered),
    selection: view.selection.all ? undefined : view.selection.ids.size,
  };
  const body = () => {
    if (aim === "selection") return targetOf(view);
    return { query: aim === "filter" ? view.text : aim === "unlabelled" && verified ? UNLABELLED : "" };
  };
  return { aim, setAim, counts, body, selected, filtered, text: view.text };
}

export function Targets({ target }: { target: ReturnType<typeof useTarget> }) {
  const { aim, setAim, counts, selected, filtered, text } = target;
  const choice = (value: Aim, label: string, on: boolean, why = "") => (
    <Radio.Card value={value} className={classes.target} disabled={!on} title={why || undefined}>
      <Radio.Indicator size="xs" disabled={!on} />
      <span className={classes.targetText}>
        <span>{label}</span>
        <small className="cs-truncate">
          {on ? (counts[value] === undefined ? "…" : many(counts[value], "image")) : why}
        </small>
      </span>
    </Radio.Card>
  );
  return (
    <Radio.Group value={aim} onChange={(next) => setAim(next as Aim)} label="Images">
      <div className={classes.targets}>
        {choice("all", "All images", true)}
        {choice("unlabelled", "Without ground truth", true)}
        {choice("filter", "Current filter", filtered, filtered ? text : "no filter is set")}
        {choice("selection", "Current selection", selected, selected ? "" : "nothing is selected")}
      </div>
    </Radio.Group>
  );
}
