import { beforeEach, expect, test, vi } from "vitest";
import { api } from "~/api";
import { add, ask, askable, forget, useQuestions } from "./questions";

const answer = {
  text: "Three.",
  answered_by: { model: "talker", version: "1", weights_hash: "" },
  seconds: 1,
};
const of = (image: number) => useQuestions.getState().byImage.get(image) ?? [];

beforeEach(() => {
  vi.restoreAllMocks();
  useQuestions.setState({ model: "", byImage: new Map() });
});

test("a question waits for its answer and keeps its place among others", async () => {
  let say: (value: typeof answer) => void = () => {};
  vi.spyOn(api, "post").mockImplementationOnce(() => new Promise((done) => (say = done as typeof say)));
  const first = ask(7, "talker", "  How many? ");
  expect(of(7)).toMatchObject([{ question: "How many?", answer: null, problem: "" }]);
  vi.spyOn(api, "post").mockResolvedValueOnce({ ...answer, text: "Red." });
  await ask(7, "talker", "Which colour?");
  say(answer);
  await first;
  expect(of(7).map((each) => each.answer?.text)).toEqual(["Red.", "Three."]);
  expect(of(8)).toEqual([]);
});

test("what goes wrong stays with the question", async () => {
  vi.spyOn(api, "post").mockRejectedValueOnce(new Error("the model is gone"));
  await ask(7, "talker", "How many?");
  expect(of(7)[0]?.problem).toContain("the model is gone");
  expect(of(7)[0]?.answer).toBeNull();
});

test("nothing is asked without words or without a model", async () => {
  const post = vi.spyOn(api, "post");
  await ask(7, "talker", "   ");
  await ask(7, "", "How many?");
  expect(post).not.toHaveBeenCalled();
  expect(of(7)).toEqual([]);
});

test("one question can be put away", () => {
  const asked = (id: number) => ({ id, question: "?", model: "m", answer, problem: "" });
  useQuestions.setState({ byImage: add(add(new Map(), 7, asked(1)), 7, asked(2)) });
  forget(7, 2);
  expect(of(7).map((each) => each.id)).toEqual([1]);
});

test("only models whose weights are here can be asked", () => {
  const items = [
    { name: "here", installed: true },
    { name: "elsewhere", installed: false },
  ];
  expect(askable({ items } as never)).toEqual(["here"]);
});
