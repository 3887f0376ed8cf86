import { useQuery } from "@tanstack/react-query";
import { api, type Operation } from "~/api";

export const isRunning = (operation: Operation) =>
  operation.state === "queued" || operation.state === "running";

/** An operation as it moves. The event stream keeps it fresh; asking now and then covers a stream that is away. */
export function useOperation(id: string | null) {
  return useQuery({
    queryKey: ["operation", id],
    queryFn: ({ signal }) => api.get<Operation>(`/operations/${id}`, { signal }),
    enabled: id !== null,
    staleTime: 1000,
    refetchInterval: ({ state }) => (state.data && !isRunning(state.data) ? false : 1000),
  });
}
