import { describe, expect, it } from "vitest";
import { Latest } from "./latest";

function patient() {
  const waiting: { question: number; answer: (value: string) => void; fail: (error: unknown) => void }[] = [];
  const told: string[] = [];
  const failures: unknown[] = [];
  const latest = new Latest<number, string>(
    (question) => new Promise((answer, fail) => waiting.push({ question, answer, fail })),
    (question, answer) => told.push(`${question}:${answer}`),
    (error) => failures.push(error),
  );
  return { latest, waiting, told, failures };
}
const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("Latest", () => {
  it("asks one question at a time and then the newest", async () => {
    const { latest, waiting, told } = patient();
    for (const question of [1, 2, 3, 4]) latest.want(question);
    expect(waiting.map((each) => each.question)).toEqual([1]);
    waiting[0]!.answer("a");
    await tick();
    expect(waiting.map((each) => each.question)).toEqual([1, 4]);
    waiting[1]!.answer("b");
    await tick();
    expect(told).toEqual(["1:a", "4:b"]);
  });

  it("says nothing after its end", async () => {
    const { latest, waiting, told } = patient();
    latest.want(1);
    latest.want(2);
    latest.end();
    waiting[0]!.answer("a");
    await tick();
    expect(told).toEqual([]);
    expect(waiting).toHaveLength(1);
  });

  it("tells of an error only where nothing newer is wanted", async () => {
    const { latest, waiting, failures, told } = patient();
    latest.want(1);
    latest.want(2);
    waiting[0]!.fail("old");
    await tick();
    expect(failures).toEqual([]);
    waiting[1]!.fail("new");
    await tick();
    expect(failures).toEqual(["new"]);
    latest.want(3);
    waiting[2]!.answer("c");
    await tick();
    expect(told).toEqual(["3:c"]);
  });
});
