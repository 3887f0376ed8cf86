/** The questions of this visit and what came of them, by image. Nothing here is stored. */
import { create } from "zustand";
import { api, type CatalogueList, type ImageAnswer, type RemoteModel, tell } from "~/api";

/** The longest question that the server takes, in characters. */
export const LONGEST = 2000;

export interface Asked {
  id: number;
  question: string;
  /** As it was asked for, until the answer says who answered. */
  model: string;
  answer: ImageAnswer | null;
  /** What went wrong and what to do, in words. */
  problem: string;
}

interface Questions {
  model: string;
  byImage: ReadonlyMap<number, readonly Asked[]>;
}

export const useQuestions = create<Questions>()(() => ({ model: "", byImage: new Map() }));

let latest = 0;

/** The latest first, as they are shown. */
export function add(byImage: Questions["byImage"], image: number, asked: Asked): Questions["byImage"] {
  const others = (byImage.get(image) ?? []).filter((each) => each.id !== asked.id);
  return new Map(byImage).set(
    image,
    [asked, ...others].toSorted((one, other) => other.id - one.id),
  );
}

function put(image: number, asked: Asked): void {
  useQuestions.setState(({ byImage }) => ({ byImage: add(byImage, image, asked) }));
}

/** Ask, and keep what is said (or what went wrong) with the image, also when another is open by then. */
export async function ask(image: number, model: string, text: string): Promise<void> {
  const question = text.trim();
  if (!question || !model) return;
  latest += 1;
  const asked: Asked = { id: latest, question, model, answer: null, problem: "" };
  put(image, asked);
  try {
    const answer = await api.post<ImageAnswer>(`/images/${image}/ask`, { body: { model, question } });
    put(image, { ...asked, answer });
  } catch (error) {
    const { what, todo } = tell(error);
    put(image, { ...asked, problem: `${what} ${todo}`.trim() });
  }
}

/** Take one question of an image out of sight. */
export function forget(image: number, id: number): void {
  useQuestions.setState(({ byImage }) => ({
    byImage: new Map(byImage).set(
      image,
      (byImage.get(image) ?? []).filter((each) => each.id !== id),
    ),
  }));
}

/** Names of the models that can be asked: those whose weights are here, and those behind a URL. */
export function askable(found: Pick<CatalogueList, "items">, remote: readonly RemoteModel[] = []): string[] {
  const here = found.items.filter((each) => each.installed).map((each) => each.name);
  const far = remote.filter(({ card }) => card.tasks.includes("questions")).map((each) => each.reference);
  return [...here, ...far];
}
