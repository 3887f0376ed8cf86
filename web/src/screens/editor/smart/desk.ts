/**
 * What is clicked with the smart tool and what a model makes of it. One request at a time: the process that answers does
 * one after the other anyway, so that of clicks in quick succession only the last one is asked for. It knows neither the
 * canvas nor React.
 */
import type { Box, Mask, Polygon, PredictedBy, Segmented } from "~/api/generated";

export interface Click {
  x: number;
  y: number;
  include: boolean;
}

/** What was pointed at. Values are never changed in place: each step is another one. */
export interface Prompt {
  points: readonly Click[];
  box: Box | null;
}

export interface Answer {
  prompt: Prompt;
  /** Null: nothing was found there. */
  mask: Mask | null;
  outline: Polygon | null;
  confidence: number | null;
  by: PredictedBy;
  seconds: number;
}

export interface Problem {
  what: string;
  todo: string;
}

export interface SmartState {
  prompt: Prompt;
  /** The last answer, until the prompt is cleared: it may be that of the prompt before. */
  answer: Answer | null;
  /** `looking`: the model sees the image for the first time, which is slow. */
  phase: "idle" | "looking" | "asking";
  problem: Problem | null;
  /** It shall be kept as soon as its answer is there. */
  wanted: boolean;
}

export interface Wires {
  look(model: string, image: number): Promise<unknown>;
  segment(model: string, image: number, prompt: Prompt): Promise<Segmented>;
  keep(answer: Answer): void;
  tell(error: unknown): Problem;
  later?(work: () => void, milliseconds: number): () => void;
}

interface Place {
  image: number;
  model: string;
}

export const NOTHING: Prompt = { points: [], box: null };
const START: SmartState = { prompt: NOTHING, answer: null, phase: "idle", problem: null, wanted: false };
/** Who only walks through images shall not have each of them looked at. */
const LOOK_AFTER = 350;

export class SmartDesk {
  state: SmartState = START;
  private readonly wires: Wires;
  private place: Place | null = null;
  private past: Prompt[] = [];
  private answers = new WeakMap<Prompt, Answer>();
  private seen: Place | null = null;
  private busy = false;
  private stopTimer: () => void = () => {};
  private readonly listeners = new Set<() => void>();

  constructor(wires: Wires) {
    this.wires = wires;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get empty(): boolean {
    return isEmpty(this.state.prompt);
  }

  /** The answer to exactly what is clicked now. */
  get answered(): Answer | undefined {
    return this.answers.get(this.state.prompt);
  }

  /** How many steps can be taken back. */
  get steps(): number {
    return this.past.length;
  }

  /** Work on this image with this model. Another model is asked what is clicked already; another image begins anew. */
  open(image: number | null, model: string): void {
    const { place } = this;
    if (place?.image === image && place?.model === model) return;
    const same = place !== null && place.image === image;
    this.place = image === null || !model ? null : { image, model };
    this.answers = new WeakMap();
    if (same && this.place) this.set({ problem: null });
    else this.reset();
    this.stopTimer();
    if (!this.place) return;
    if (!this.empty) void this.work();
    else this.stopTimer = (this.wires.later ?? timer)(() => void this.work(), LOOK_AFTER);
  }

  click(x: number, y: number, include: boolean): void {
    const { points, box } = this.state.prompt;
    this.step({ points: [...points, { x, y, include }], box });
  }

  drawBox(box: Box): void {
    this.step({ ...this.state.prompt, box });
  }

  removePoint(at: number): void {
    const { points, box } = this.state.prompt;
    this.step({ points: points.filter((_, i) => i !== at), box });
  }

  /** Take the last step back. Returns whether there was one. */
  back(): boolean {
    const before = this.past.pop();
    if (!before) return false;
    this.show(before);
    return true;
  }

  /** Give up what is clicked. Returns whether there was something. */
  clear(): boolean {
    const busy = this.steps > 0;
    this.reset();
    return busy;
  }

  /** Keep the mask, now or when it comes. Returns whether there is something to keep. */
  keep(): boolean {
    if (this.empty) return false;
    const answer = this.answered;
    if (!answer) this.set({ wanted: !this.state.problem });
    else if (answer.mask) {
      this.reset();
      this.wires.keep(answer);
    }
    return true;
  }

  retry(): void {
    this.set({ problem: null });
    void this.work();
  }

  private step(prompt: Prompt): void {
    this.past.push(this.state.prompt);
    this.show(prompt);
  }

  private show(prompt: Prompt): void {
    const answer = isEmpty(prompt) ? null : (this.answers.get(prompt) ?? this.state.answer);
    this.set({ prompt, answer, problem: null, wanted: false });
    void this.work();
  }

  private reset(): void {
    this.past = [];
    const { phase } = this.state;
    this.set({ ...START, phase });
  }

  /** Do what is to be done, one thing after the other. */
  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    let place = this.due();
    while (place) {
      const known = samePlace(this.seen, place);
      this.set({ phase: known ? "asking" : "looking" });
      try {
        await (this.empty ? this.look(place) : this.ask(place, this.state.prompt));
        this.seen = place;
      } catch (error) {
        if (samePlace(this.place, place)) this.set({ problem: this.wires.tell(error), wanted: false });
      }
      place = this.due();
    }
    this.busy = false;
    this.set({ phase: "idle" });
  }

  /** Where something is to be asked now; null: nothing is. A problem waits until somebody clicks. */
  private due(): Place | null {
    const { place } = this;
    if (!place || this.state.problem) return null;
    return (this.empty ? samePlace(this.seen, place) : this.answered) ? null : place;
  }

  private async look(place: Place): Promise<void> {
    await this.wires.look(place.model, place.image);
  }

  private async ask(place: Place, prompt: Prompt): Promise<void> {
    const found = await this.wires.segment(place.model, place.image, prompt);
    if (!samePlace(this.place, place)) return;
    const { mask, outline, confidence, segmented_by: by, seconds } = found;
    const answer: Answer = { prompt, mask, outline, confidence, by, seconds };
    this.answers.set(prompt, answer);
    if (this.empty) return; // it was cleared meanwhile
    this.set({ answer });
    if (this.state.wanted && prompt === this.state.prompt) {
      this.set({ wanted: false });
      this.keep();
    }
  }

  private set(next: Partial<SmartState>): void {
    const { state } = this;
    const names = Object.keys(next) as (keyof SmartState)[];
    if (names.every((name) => state[name] === next[name])) return;
    this.state = { ...state, ...next };
    for (const listener of this.listeners) listener();
  }
}

function isEmpty(prompt: Prompt): boolean {
  return prompt.points.length === 0 && prompt.box === null;
}

function samePlace(a: Place | null, b: Place | null): boolean {
  return a?.image === b?.image && a?.model === b?.model;
}

function timer(work: () => void, milliseconds: number): () => void {
  const id = setTimeout(work, milliseconds);
  return () => clearTimeout(id);
}
