/** Keys and hooks for what many screens read. Keys begin with the noun, then the project: events invalidate by prefix. */
import { keepPreviousData, QueryClient, useQuery } from "@tanstack/react-query";
import { api } from "./client";
import { ApiError, NetworkError } from "./errors";
import type {
  ClassList,
  FieldList,
  FormatList,
  ModelList,
  OperationList,
  Project,
  ProjectList,
  RunList,
  Session,
  TrainingList,
} from "./generated";

export const keys = {
  session: ["session"] as const,
  projects: ["projects"] as const,
  project: (project: number) => ["project", project] as const,
  /** Everything that depends on a project's images: pages, ids, facets. */
  images: (project: number) => ["images", project] as const,
  /** Everything that depends on a project's labels. */
  labels: (project: number) => ["labels", project] as const,
  classes: (project: number) => ["classes", project] as const,
  fields: (project: number) => ["fields", project] as const,
  runs: (project: number) => ["runs", project] as const,
  run: (run: number) => ["run", run] as const,
  review: (run: number) => ["review", run] as const,
  trainings: (project: number) => ["trainings", project] as const,
  training: (training: number) => ["training", training] as const,
  /** Null: those on what all projects share, such as downloads of models. */
  operations: (project: number | null) => ["operations", project] as const,
  models: ["models"] as const,
  /** Below the models: what makes those stale makes it stale too. */
  catalogue: ["models", "catalogue"] as const,
  formats: ["formats"] as const,
};

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: false,
        // The client has tried a lost network again already; what the server refuses it will refuse again.
        retry: (count, error) =>
          !(error instanceof NetworkError) && !(error instanceof ApiError && error.status < 500) && count < 1,
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
}

export function useSession() {
  return useQuery({
    queryKey: keys.session,
    queryFn: ({ signal }) => api.get<Session>("/session", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useProjects() {
  return useQuery({
    queryKey: keys.projects,
    queryFn: async ({ signal }) => (await api.get<ProjectList>("/projects", { signal })).items,
  });
}

export function useProject(project: number) {
  return useQuery({
    queryKey: keys.project(project),
    queryFn: ({ signal }) => api.get<Project>(`/projects/${project}`, { signal }),
  });
}

export function useClasses(project: number) {
  return useQuery({
    queryKey: keys.classes(project),
    queryFn: async ({ signal }) =>
      (await api.get<ClassList>(`/projects/${project}/classes`, { signal })).items,
    placeholderData: keepPreviousData,
  });
}

export function useFields(project: number) {
  return useQuery({
    queryKey: keys.fields(project),
    queryFn: async ({ signal }) =>
      (await api.get<FieldList>(`/projects/${project}/fields`, { signal })).items,
    placeholderData: keepPreviousData,
  });
}

export function useRuns(project: number) {
  return useQuery({
    queryKey: keys.runs(project),
    queryFn: async ({ signal }) => (await api.get<RunList>(`/projects/${project}/runs`, { signal })).items,
  });
}

export function useTrainings(project: number) {
  return useQuery({
    queryKey: keys.trainings(project),
    queryFn: async ({ signal }) =>
      (await api.get<TrainingList>(`/projects/${project}/trainings`, { signal })).items,
  });
}

export function useModels() {
  return useQuery({
    queryKey: keys.models,
    queryFn: ({ signal }) => api.get<ModelList>("/models", { signal }),
  });
}

export function useFormats() {
  return useQuery({
    queryKey: keys.formats,
    queryFn: async ({ signal }) => (await api.get<FormatList>("/formats", { signal })).items,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useOperations(project: number | null) {
  return useQuery({
    queryKey: keys.operations(project),
    queryFn: async ({ signal }) => {
      const path = project === null ? "/operations" : `/projects/${project}/operations`;
      return (await api.get<OperationList>(path, { signal })).items;
    },
  });
}
