/** Ask a model what it sees on the open image. Nothing is stored: the predictions lie above the labels until accepted. */
import {
  ApiError,
  api,
  type CatalogueModel,
  type LabelMap,
  type ModelList,
  type PredictionList,
  type PredictRequest,
  type RemoteModel,
  type TrainingList,
} from "~/api";
import { notifyError } from "~/app/notify";
import { promptsOf } from "~/models/classes";
import { isRemote, remoteEntry, remoteName } from "~/models/remote";
import type { Controller } from "../controller";
import { setUi, useUi } from "../ui";
import { useLearning } from "./state";

/** The least confidence that is asked for: the slider begins here, and follows without asking again. */
export const LEAST = 0.1;

export async function predict(controller: Controller): Promise<void> {
  const { image } = controller;
  if (!image || useLearning.getState().predicting) return;
  useLearning.setState({ predicting: true, told: false });
  const take = controller.predictions.ask(image.id);
  try {
    const { model: chosen, nms } = useUi.getState();
    const model = chosen || (await newestModel(image.project_id));
    if (!model) throw new Error("There is no model yet. Train one first, or load a saved one.");
    const body = { model, min_confidence: LEAST, nms, ...(await asked(model, image.project_id)) };
    const { items, predicted_by, seconds } = await api.post<PredictionList>(`/images/${image.id}/predict`, {
      body,
    });
    take({ items, by: predicted_by, seconds });
    setUi({ showPredictions: true });
  } catch (error) {
    useLearning.setState({ told: true }); // one message is enough: the panel need not say it too
    notifyError("The image could not be predicted", error);
  } finally {
    useLearning.setState({ predicting: false });
  }
}

/** Tasks whose results are labels. */
export const LABELLING: ReadonlySet<string> = new Set([
  "classification",
  "detection",
  "instance_segmentation",
  "semantic_segmentation",
  "pose",
]);

/** What a model is asked for besides: words, if it takes any; else the classes go by the project's map, if one is kept. */
async function asked(model: string, project: number): Promise<Partial<PredictRequest>> {
  const entry = await entryOf(model);
  if (entry?.zero_shot) {
    const { words } = useLearning.getState();
    if (words.classes.length === 0)
      throw new Error(`${model} looks for what it is told: write it into “Look for” in the learning panel.`);
    return { classes: [...words.classes], prompts: promptsOf(words) };
  }
  if (entry?.origin === "workspace") return {};
  const map = await api.get<LabelMap>(`/projects/${project}/label-map`, { params: { model } });
  return map.kept ? { label_map: map.classes } : {};
}

async function entryOf(model: string): Promise<CatalogueModel | null> {
  try {
    if (isRemote(model))
      return remoteEntry(
        await api.get<RemoteModel>(`/remote-models/${encodeURIComponent(remoteName(model))}`),
      );
    return await api.get<CatalogueModel>("/catalogue/model", { params: { model } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null; // a reference of a family
    throw error;
  }
}

/** The model of the project's last training, else the newest of the workspace; empty if there is none. */
export async function newestModel(project: number): Promise<string> {
  const { items: trainings } = await api.get<TrainingList>(`/projects/${project}/trainings`);
  const { items: models } = await api.get<ModelList>("/models");
  return pickModel(
    trainings,
    models.map((each) => each.name),
  );
}

/** The backbone of a model that was trained here; empty for others. */
export function backboneOf(model: { card: { details: Readonly<Record<string, unknown>> } } | null): string {
  const { network } = model?.card.details ?? {};
  const name = (network as { backbone?: unknown } | null | undefined)?.backbone;
  return typeof name === "string" ? name : "";
}

export function pickModel(trainings: readonly { model: string | null }[], models: readonly string[]): string {
  const trained = trainings.find((each) => each.model && models.includes(each.model))?.model;
  return trained ?? models.at(-1) ?? "";
}
