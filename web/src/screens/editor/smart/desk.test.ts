import { expect, test, vi } from "vitest";
import type { Segmented } from "~/api/generated";
import { NOTHING, type Prompt, SmartDesk, type Wires } from "./desk";

const by = { model: "sam", version: "1", weights_hash: "", min_confidence: null };

/** What a model says: a mask whose text tells how many points it had; nothing for a first point left of 0. */
function cut({ points, box }: Prompt): Segmented {
  const counts = points[0] && points[0].x < 0 ? null : `${points.length}${box ? "b" : ""}`;
  const mask = counts === null ? null : { type: "mask" as const, width: 9, height: 9, counts };
  return { mask, outline: null, confidence: 0.5, looked: false, segmented_by: by, seconds: 0.1 };
}

interface Open {
  desk: SmartDesk;
  wires: { [name in "look" | "segment" | "keep"]: ReturnType<typeof vi.fn> };
  /** Answer the request that waits. */
  answer(error?: Error): Promise<void>;
  /** Let the time pass after which an image is looked at. */
  wait(): Promise<void>;
}

function open(): Open {
  const waiting: { prompt: Prompt | null; done: (value: unknown) => void; fail: (error: Error) => void }[] =
    [];
  let later: (() => void) | null = null;
  const request = (prompt: Prompt | null) =>
    new Promise((done, fail) => waiting.push({ prompt, done, fail: fail as (error: Error) => void }));
  const wires = {
    look: vi.fn(() => request(null)),
    segment: vi.fn((_model: string, _image: number, prompt: Prompt) => request(prompt)),
    keep: vi.fn(),
  };
  const settle = () => new Promise<void>((done) => setTimeout(done));
  const desk = new SmartDesk({
    ...(wires as unknown as Pick<Wires, "look" | "segment" | "keep">),
    tell: (error) => ({ what: (error as Error).message, todo: "Try again." }),
    later: (work) => {
      later = work;
      return () => {
        later = null;
      };
    },
  });
  desk.open(7, "sam");
  return {
    desk,
    wires,
    answer: async (error) => {
      const { prompt, done, fail } = waiting.shift()!;
      if (error) fail(error);
      else done(prompt && cut(prompt));
      await settle();
    },
    wait: async () => {
      later?.();
      await settle();
    },
  };
}

test("an image is looked at before anybody clicks, once", async () => {
  const { desk, wires, answer, wait } = open();
  await wait();
  expect(desk.state.phase).toBe("looking");
  await answer();
  expect(desk.state.phase).toBe("idle");
  desk.click(1, 1, true);
  expect(desk.state.phase).toBe("asking");
  await answer();
  expect(wires.look).toHaveBeenCalledTimes(1);
  expect(wires.segment).toHaveBeenCalledWith("sam", 7, {
    points: [{ x: 1, y: 1, include: true }],
    box: null,
  });
  expect(desk.state.answer?.mask?.counts).toBe("1");
});

test("of quick clicks only the last is asked for, and the mask before stays until then", async () => {
  const { desk, wires, answer } = open();
  desk.click(1, 1, true);
  await answer();
  desk.click(2, 2, true);
  desk.click(3, 3, false);
  desk.click(4, 4, true);
  expect(desk.state.answer?.mask?.counts).toBe("1");
  await answer();
  await answer();
  expect(desk.state.answer?.mask?.counts).toBe("4");
  expect(wires.segment.mock.calls.map(([, , prompt]) => prompt.points.length)).toEqual([1, 2, 4]);
});

test("steps are taken back one by one, without asking again", async () => {
  const { desk, wires, answer } = open();
  desk.click(1, 1, true);
  await answer();
  desk.drawBox({ type: "box", x: 0, y: 0, width: 5, height: 5 });
  await answer();
  desk.removePoint(0);
  await answer();
  expect(desk.state.answer?.mask?.counts).toBe("0b");
  desk.back();
  expect(desk.state.answer?.mask?.counts).toBe("1b");
  desk.back();
  expect(desk.state.answer?.mask?.counts).toBe("1");
  desk.back();
  expect(desk.state).toMatchObject({ prompt: NOTHING, answer: null, phase: "idle" });
  expect(desk.back()).toBe(false);
  expect(wires.segment).toHaveBeenCalledTimes(3);
});

test("what is kept goes out once, also when it was asked for before its mask came", async () => {
  const { desk, wires, answer } = open();
  expect(desk.keep()).toBe(false);
  desk.click(1, 1, true);
  expect(desk.keep()).toBe(true);
  expect(wires.keep).not.toHaveBeenCalled();
  await answer();
  expect(wires.keep).toHaveBeenCalledTimes(1);
  expect(wires.keep.mock.calls[0]![0]).toMatchObject({ mask: { counts: "1" }, by });
  expect(desk.empty).toBe(true);
  desk.click(2, 2, true);
  desk.keep();
  desk.click(3, 3, true); // who goes on has changed their mind
  await answer();
  await answer();
  expect(wires.keep).toHaveBeenCalledTimes(1);
  desk.keep();
  expect(wires.keep).toHaveBeenCalledTimes(2);
});

test("nothing found is said and not kept", async () => {
  const { desk, wires, answer } = open();
  desk.click(-1, 1, true);
  await answer();
  expect(desk.state.answer?.mask).toBeNull();
  expect(desk.keep()).toBe(true);
  expect(wires.keep).not.toHaveBeenCalled();
  expect(desk.empty).toBe(false);
});

test("a problem is told once and waits; a click or another try goes on", async () => {
  const { desk, wires, answer } = open();
  desk.click(1, 1, true);
  desk.keep();
  await answer(new Error("The process was killed."));
  expect(desk.state).toMatchObject({ problem: { what: "The process was killed." }, wanted: false });
  expect(desk.state.phase).toBe("idle");
  expect(wires.segment).toHaveBeenCalledTimes(1);
  desk.retry();
  await answer();
  expect(desk.state).toMatchObject({ problem: null, answer: { mask: { counts: "1" } } });
  expect(wires.keep).not.toHaveBeenCalled();
});

test("another image begins anew; an answer for the one before is dropped", async () => {
  const { desk, wires, answer } = open();
  desk.click(1, 1, true);
  desk.open(8, "sam");
  expect(desk.empty).toBe(true);
  desk.click(5, 5, true);
  await answer();
  expect(desk.state.answer).toBeNull();
  expect(desk.state.phase).toBe("looking");
  await answer();
  expect(wires.segment.mock.calls.map(([, image]) => image)).toEqual([7, 8]);
  expect(desk.state.answer?.mask?.counts).toBe("1");
});

test("another model is asked what is clicked already", async () => {
  const { desk, wires, answer } = open();
  desk.click(1, 1, true);
  await answer();
  desk.open(7, "edgetam");
  expect(desk.state.phase).toBe("looking");
  expect(desk.answered).toBeUndefined();
  await answer();
  expect(wires.segment.mock.calls.map(([model]) => model)).toEqual(["sam", "edgetam"]);
  expect(desk.steps).toBe(1);
});

test("clearing forgets the mask that is on its way", async () => {
  const { desk, wires, answer } = open();
  desk.click(1, 1, true);
  expect(desk.clear()).toBe(true);
  await answer();
  expect(desk.state.answer).toBeNull();
  expect(desk.clear()).toBe(false);
  desk.open(null, "");
  desk.click(1, 1, true);
  expect(wires.segment).toHaveBeenCalledTimes(1);
});
