/** Which project the bar and the shortcuts are about: the one of the address, and on the page of models the last one. */
import { useLocation } from "wouter";

let last: number | null = null;

/** The project of an address, if it has one. */
export function projectOf(location: string): number | null {
  const found = /^\/p\/(\d+)(\/|$)/.exec(location);
  return found ? Number(found[1]) : null;
}

/** Models belong to no project, but who comes from one wants to go back to it. */
export function useCurrentProject(): number | null {
  const [location] = useLocation();
  last = projectOf(location) ?? (location === "/models" ? last : null);
  return last;
}
