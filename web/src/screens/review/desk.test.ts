import { describe, expect, it } from "vitest";
import { Desk, type Verdict } from "./desk";

function desk(refuse: (verdict: Verdict) => boolean = () => false) {
  const sent: string[] = [];
  const failures: unknown[] = [];
  let change = 0;
  let settled = 0;
  const made = new Desk(
    {
      send: async (verdict, ids) => {
        if (refuse(verdict)) throw new Error("no");
        sent.push(`${verdict.kind} ${ids.join(",")}`);
        change += 1;
        return [change];
      },
      undo: async (id) => {
        sent.push(`undo ${id}`);
      },
    },
    () => {
      settled += 1;
    },
    (verdict) => failures.push(verdict),
  );
  return { made, sent, failures, settled: () => settled };
}

describe("Desk", () => {
  it("shows a verdict at once and sends them in order", async () => {
    const { made, sent, settled } = desk();
    made.decide({ kind: "promote" }, [1, 2]);
    made.decide({ kind: "relabel", className: "rod" }, [2]);
    made.decide({ kind: "reject" }, []);
    expect(made.snapshot().get(1)).toEqual({ state: "promoted" });
    expect(made.snapshot().get(2)).toEqual({ state: "promoted", className: "rod" });
    await made.idle();
    expect(sent).toEqual(["promote 1,2", "relabel 2"]);
    expect(settled()).toBe(2);
    expect([...made.own]).toEqual([1, 2]);
  });

  it("takes back the last step, also while it is on its way", async () => {
    const { made, sent } = desk();
    made.decide({ kind: "promote" }, [1]);
    made.decide({ kind: "reject" }, [1]);
    expect(made.undo()).toEqual([1]);
    expect(made.snapshot().get(1)).toEqual({ state: "promoted" });
    await made.idle();
    expect(sent).toEqual(["promote 1", "reject 1", "undo 2"]);
    expect(made.undo()).toEqual([1]);
    expect(made.undo()).toBeNull();
    expect(made.snapshot().has(1)).toBe(false);
  });

  it("shows what the server refused as it was, and goes on", async () => {
    const { made, sent, failures } = desk((verdict) => verdict.kind === "reject");
    made.decide({ kind: "reject" }, [1]);
    made.decide({ kind: "promote" }, [2]);
    await made.idle();
    expect(made.snapshot().has(1)).toBe(false);
    expect(sent).toEqual(["promote 2"]);
    expect(failures).toEqual([{ kind: "reject" }]);
  });
});
