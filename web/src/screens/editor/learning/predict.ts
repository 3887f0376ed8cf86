/** Ask a model what it sees on the open image. Nothing is stored: the predictions lie above the labels until accepted. */
import { api, type ModelList, type PredictionList, type TrainingList } from "~/api";
import { notifyError } from "~/app/notify";
import type { Controller } from "../controller";
import { setUi, useUi } from "../ui";
import { useLearning } from "./state";

/** The least confidence that is asked for: the slider begins here, and follows without asking again. */
export const LEAST = 0.1;

export async function predict(controller: Controller): Promise<void> {
  const { image } = controller;
  if (!image || useLearning.getState().predicting) return;
  useLearning.setState({ predicting: true, told: false });
  try {
    const { model: chosen, nms } = useUi.getState();
    const model = chosen || (await newestModel(image.project_id));
    if (!model) throw new Error("There is no model yet. Train one first, or load a saved one.");
    const body = { model, min_confidence: LEAST, nms };
    const { items, predicted_by, seconds } = await api.post<PredictionList>(`/images/${image.id}/predict`, {
      body,
    });
    controller.predictions.set({ imageId: image.id, items, by: predicted_by, seconds });
    setUi({ showPredictions: true });
  } catch (error) {
    useLearning.setState({ told: true }); // one message is enough: the panel need not say it too
    notifyError("The image could not be predicted", error);
  } finally {
    useLearning.setState({ predicting: false });
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
