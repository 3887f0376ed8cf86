import type { Project } from "~/api";

type Dated = Pick<Project, "name" | "last_change" | "created_at">;

/** Those that changed last come first; without a change counts when they were made. */
export function recentFirst<T extends Dated>(projects: readonly T[]): T[] {
  const time = (each: Dated) => Date.parse(each.last_change ?? each.created_at);
  return [...projects].sort((a, b) => time(b) - time(a) || a.name.localeCompare(b.name));
}
