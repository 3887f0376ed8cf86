/** Addresses and the screens behind them. Heavy screens are loaded when they are first opened. */
import { lazy } from "react";

export const paths = {
  projects: () => "/",
  images: (project: number, search = "") => `/p/${project}/images${search ? `?${search}` : ""}`,
  /** The editor. Pass the search part of the grid's address on, so that previous and next follow the same filter. */
  image: (project: number, image: number, search = "") =>
    `/p/${project}/image/${image}${search ? `?${search}` : ""}`,
  runs: (project: number) => `/p/${project}/runs`,
  review: (project: number, run: number) => `/p/${project}/runs/${run}/review`,
  models: () => "/models",
};

export const ProjectsScreen = lazy(() => import("~/screens/projects"));
export const ImagesScreen = lazy(() => import("~/screens/images"));
export const EditorScreen = lazy(() => import("~/screens/editor"));
export const RunsScreen = lazy(() => import("~/screens/runs"));
export const ReviewScreen = lazy(() => import("~/screens/review"));
export const ModelsScreen = lazy(() => import("~/screens/models"));
