import { expect, test, vi } from "vitest";
import type { BatchResult, Label, LabelBatch } from "~/api/generated";
import { type Locks, openKeep, type Storage } from "./keep";
import { makeLabel } from "./model";
import type { Keep, Kept } from "./outbox";
import { EditorSession } from "./session";

class Away extends Error {}

/** A server in memory: labels with versions, batches done once, and a switch to turn it off. */
class FakeServer {
  away = false;
  /** Do the batch but lose the answer, once. */
  loseAnswer = false;
  readonly labelsById = new Map<number, Label>();
  readonly batches: LabelBatch[] = [];
  private readonly answers = new Map<string, BatchResult>();
  private nextId = 1;
  private version = 100;

  isAway = (error: unknown) => error instanceof Away;

  labels = async (imageId: number, field: string) => {
    if (this.away) throw new Away();
    return [...this.labelsById.values()].filter((each) => each.image_id === imageId && each.field === field);
  };

  change(id: number, change: Partial<Label>): void {
    this.version += 1;
    this.labelsById.set(id, { ...this.labelsById.get(id)!, ...change, version: this.version });
  }

  send = async (batch: LabelBatch): Promise<BatchResult> => {
    if (this.away) throw new Away();
    let answer = this.answers.get(batch.key);
    if (!answer) {
      this.batches.push(batch);
      this.version += 1;
      answer = {
        key: batch.key,
        replayed: false,
        change_ids: [this.version],
        results: batch.operations.map((each) => this.perform(each)),
      };
      this.answers.set(batch.key, answer);
    }
    if (this.loseAnswer) {
      this.loseAnswer = false;
      throw new Away();
    }
    return structuredClone(answer);
  };

  private perform(operation: LabelBatch["operations"][number]): BatchResult["results"][number] {
    const client_id = operation.client_id ?? null;
    if (operation.op === "create") {
      const id = this.nextId++;
      const { class_name, geometry = null } = operation.label;
      const label: Label = {
        id,
        image_id: operation.image_id,
        field: operation.field!,
        class_name,
        geometry,
        confidence: null,
        state: "verified",
        attributes: {},
        version: this.version,
        origin: "person",
        model: "",
        verified_by: null,
        verified_how: null,
      };
      this.labelsById.set(id, label);
      return { status: "done", label_id: id, client_id, label, problem: null };
    }
    const id = operation.label_id!;
    const label = this.labelsById.get(id) ?? null;
    const expected =
      operation.op === "update" ? operation.change.expected_version : operation.expected_version;
    if (!label || (expected && expected !== label.version))
      return { status: "conflict", label_id: id, client_id, label, problem: null };
    if (operation.op === "delete") {
      this.labelsById.delete(id);
      return { status: "done", label_id: id, client_id, label: null, problem: null };
    }
    const { class_name, geometry } = operation.change;
    const after = { ...label, version: this.version };
    if (class_name) after.class_name = class_name;
    if (geometry !== undefined) after.geometry = geometry;
    this.labelsById.set(id, after);
    return { status: "done", label_id: id, client_id, label: after, problem: null };
  }
}

class MemoryKeep implements Keep {
  kept: string | null = null;
  read = () => (this.kept ? (JSON.parse(this.kept) as Kept) : null);
  write = (kept: Kept | null) => {
    this.kept = kept && JSON.stringify(kept);
    return true;
  };
}

const box = (x: number) => ({ type: "box" as const, x, y: 0, width: 10, height: 10 });
const draw = (key: string, x = 0) =>
  makeLabel({ imageId: 1, field: "gt", className: "cell", geometry: box(x) }, key);
const settle = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

function start(server = new FakeServer(), keep = new MemoryKeep()) {
  const session = new EditorSession(server, keep);
  const document = session.document(1, "gt");
  return { server, keep, session, document, store: document.store };
}

test("a label that is drawn is on the server at once", async () => {
  const { server, session, store, keep } = start();
  store.apply("user", { put: [draw("a")] });
  expect(session.saveState.phase).toBe("saving");
  await settle();
  expect(session.saveState).toMatchObject({ phase: "saved", count: 0 });
  expect(store.get("a")).toMatchObject({ id: 1, version: 101 });
  expect([...server.labelsById.values()]).toMatchObject([{ class_name: "cell", geometry: box(0) }]);
  expect(keep.kept).toBeNull();
});

test("changes made while a batch is on its way go out in the next one, with the version that came back", async () => {
  const { server, session, store } = start();
  store.apply("user", { put: [draw("a")] });
  store.apply("user", { put: [{ ...store.get("a")!, geometry: box(5) }] });
  store.apply("user", { put: [{ ...store.get("a")!, className: "dot" }] });
  await settle();
  expect(session.saveState.phase).toBe("saved");
  expect(server.batches).toHaveLength(2);
  expect(server.batches[1]!.operations).toHaveLength(1);
  expect(server.labelsById.get(1)).toMatchObject({ class_name: "dot", geometry: box(5) });
});

test("while the server is away changes are kept, over a reload too, and arrive when it is back", async () => {
  const { server, keep, session, store, document } = start();
  store.apply("user", { put: [draw("a")] });
  await settle();
  server.away = true;
  store.apply("user", { put: [draw("b", 20), { ...store.get("a")!, geometry: box(7) }] });
  await settle();
  expect(session.saveState).toMatchObject({ phase: "waiting", count: 2 });
  document.history.undo();
  document.history.redo();
  expect(session.saveState.count).toBe(2);

  const later = start(server, keep);
  expect(later.store.get("b")).toMatchObject({ geometry: box(20) });
  server.away = false;
  await later.session.load(1, "gt");
  expect(later.store.size).toBe(2);
  expect(later.store.ofId(1)).toMatchObject({ geometry: box(7) });
  later.session.outbox.flush(true);
  await settle();
  expect(later.session.saveState.phase).toBe("saved");
  expect([...server.labelsById.values()].map((each) => each.geometry)).toEqual([box(7), box(20)]);
  expect(later.store.size).toBe(2);
});

test("an answer that was lost does not make the label twice", async () => {
  const { server, session, store } = start();
  server.loseAnswer = true;
  store.apply("user", { put: [draw("a")] });
  await settle();
  expect(session.saveState.phase).toBe("waiting");
  await session.load(1, "gt"); // the list has it already, under another name
  session.outbox.flush(true);
  await settle();
  expect(server.labelsById.size).toBe(1);
  expect(store.all().map((each) => each.key)).toEqual(["a"]);
});

test("what is drawn and deleted while the server is away never reaches it", async () => {
  const { server, session, store } = start();
  server.away = true;
  store.apply("user", { put: [draw("first")] }); // on its way, kept as it is
  await settle();
  store.apply("user", { put: [draw("a")] });
  store.apply("user", { remove: ["a"] });
  store.apply("user", { remove: ["first"] });
  server.away = false;
  session.outbox.flush(true);
  await settle();
  expect(session.saveState.phase).toBe("saved");
  expect(server.labelsById.size).toBe(0);
  expect(server.batches.flatMap((batch) => batch.operations.map((each) => each.op))).toEqual([
    "create",
    "delete",
  ]);
});

test("undo of a deletion that the server knows makes the label again", async () => {
  const { server, store, document } = start();
  store.apply("user", { put: [draw("a")] });
  await settle();
  store.apply("user", { remove: ["a"] });
  await settle();
  expect(server.labelsById.size).toBe(0);
  document.history.undo();
  await settle();
  expect(server.labelsById.size).toBe(1);
  expect(store.get("a")!.id).toBe(2);
});

test("what others change comes in, but not over what is not saved yet", async () => {
  const { server, session, store } = start();
  store.apply("user", { put: [draw("a"), draw("b", 30), draw("c", 60)] });
  await settle();
  server.change(1, { class_name: "theirs" });
  server.labelsById.delete(3);
  server.away = true;
  store.apply("user", { put: [{ ...store.get("b")!, geometry: box(31) }] });
  await settle();
  server.away = false;
  server.change(2, { class_name: "theirs" });
  await session.load(1, "gt");
  expect(store.get("a")!.className).toBe("theirs");
  expect(store.get("b")).toMatchObject({ className: "cell", geometry: box(31) });
  expect(store.get("c")).toBeUndefined();
});

test("a conflict is shown, and either side can be kept", async () => {
  for (const side of ["mine", "theirs"] as const) {
    const { server, session, store } = start();
    store.apply("user", { put: [draw("a")] });
    await settle();
    server.change(1, { class_name: "theirs" });
    store.apply("user", { put: [{ ...store.get("a")!, className: "mine" }] });
    await settle();
    expect(session.saveState.phase).toBe("saved");
    expect(session.allConflicts()).toMatchObject([
      { key: "a", theirs: { class_name: "theirs" }, refused: null },
    ]);
    expect(store.get("a")!.className).toBe("mine");
    session.resolve("a", side);
    await settle();
    expect(session.allConflicts()).toEqual([]);
    expect(server.labelsById.get(1)!.class_name).toBe(side);
    expect(store.get("a")!.className).toBe(side);
  }
});

test("a label that somebody else deleted can be made again, or given up", async () => {
  for (const side of ["mine", "theirs"] as const) {
    const { server, session, store } = start();
    store.apply("user", { put: [draw("a")] });
    await settle();
    server.labelsById.delete(1);
    store.apply("user", { put: [{ ...store.get("a")!, className: "mine" }] });
    await settle();
    expect(session.allConflicts()).toMatchObject([{ theirs: null }]);
    session.resolve("a", side);
    await settle();
    expect(store.size).toBe(side === "mine" ? 1 : 0);
    expect(server.labelsById.size).toBe(side === "mine" ? 1 : 0);
  }
});

test("a batch that is refused as a whole is told, and does not go round in circles", async () => {
  const server = new FakeServer();
  server.send = async () => {
    throw new Error("that class name is too long");
  };
  const { session, store } = start(server);
  store.apply("user", { put: [draw("a")] });
  await settle();
  expect(session.allConflicts()[0]!.refused!.what).toContain("too long");
  expect(session.saveState.phase).toBe("failed");
  session.resolve("a", "theirs");
  expect(store.size).toBe(0);
});

class FakeStorage implements Storage {
  readonly values = new Map<string, string>();
  get length() {
    return this.values.size;
  }
  key = (i: number) => [...this.values.keys()][i] ?? null;
  getItem = (name: string) => this.values.get(name) ?? null;
  setItem = (name: string, value: string) => void this.values.set(name, value);
  removeItem = (name: string) => void this.values.delete(name);
}

test("a window takes over what a closed one left, and leaves alone what an open one has", async () => {
  const held = new Set<string>();
  const request = async (name: string, second: unknown, third?: unknown) => {
    const work = (third ?? second) as (lock: unknown) => unknown;
    if (held.has(name)) return work(null);
    const result = work({ name });
    if (result instanceof Promise) held.add(name);
    return result;
  };
  const locks = { request } as unknown as Locks;
  const storage = new FakeStorage();
  const item = { key: "a", imageId: 1, kind: "create" as const, label: draw("a"), fields: [] };
  const closed = await openKeep(1, storage, undefined, "closed");
  closed.write({ batches: [], pending: [item] });
  const open = await openKeep(1, storage, { request: locks.request }, "open");
  expect(open.read()!.pending).toHaveLength(1);
  expect([...storage.values.keys()]).toEqual(["countersign.unsaved.1.open"]);
  expect((await openKeep(1, storage, locks, "third")).read()).toBeNull();
  expect((await openKeep(2, storage, locks, "other project")).read()).toBeNull();
});

class Refusing extends FakeServer {
  refuse = true;

  override send = async (batch: LabelBatch): Promise<BatchResult> => {
    this.batches.push(batch);
    if (this.refuse) throw new Error("The class is too long.");
    return { key: batch.key, replayed: false, change_ids: [], results: [] };
  };
}

test("a label that the server refused and that is deleted then is not sent again", async () => {
  const server = new Refusing();
  const session = new EditorSession(server, new MemoryKeep());
  const { store } = await session.load(1, "gt");
  store.apply("user", { put: [draw("a")] });
  await vi.waitFor(() => expect(session.allConflicts()).toHaveLength(1));
  expect(session.saveState.phase).toBe("failed");
  store.apply("user", { remove: ["a"] });
  expect(session.allConflicts()).toHaveLength(0);
  expect(session.saveState).toMatchObject({ phase: "saved", count: 0, problem: "" });
  expect(server.batches).toHaveLength(1);
});

test("a label that is deleted while the server refuses to make it leaves nothing behind", async () => {
  const server = new Refusing();
  const session = new EditorSession(server, new MemoryKeep());
  const { store } = await session.load(1, "gt");
  store.apply("user", { put: [draw("a")] });
  store.apply("user", { remove: ["a"] });
  await vi.waitFor(() => expect(session.saveState.count).toBe(0));
  expect(session.allConflicts()).toHaveLength(0);
  expect(server.batches).toHaveLength(1);
});

test("a class of another name: its labels, their history and what waits follow", async () => {
  const server = new FakeServer();
  const session = new EditorSession(server, new MemoryKeep());
  session.setClasses([{ id: 1, name: "cell" }]);
  const { store, history } = await session.load(1, "gt");
  store.apply("user", { put: [draw("a"), draw("b")] });
  store.apply("user", { remove: ["b"] });
  await vi.waitFor(() => expect(session.saveState.phase).toBe("saved"));
  server.away = true;
  store.apply("user", { put: [draw("c")] });
  session.setClasses([{ id: 1, name: "Zelle" }]);
  expect(store.all().map((label) => label.className)).toEqual(["Zelle", "Zelle"]);
  history.undo();
  history.undo();
  expect(store.get("b")!.className).toBe("Zelle");
});

test("a class that was renamed elsewhere shows with the next list, though no label has another version", async () => {
  const server = new FakeServer();
  const session = new EditorSession(server, new MemoryKeep());
  const { store } = await session.load(1, "gt");
  store.apply("user", { put: [draw("a")] });
  await vi.waitFor(() => expect(session.saveState.phase).toBe("saved"));
  for (const [id, label] of server.labelsById) server.labelsById.set(id, { ...label, class_name: "Zelle" });
  await session.load(1, "gt");
  expect(store.get("a")!.className).toBe("Zelle");
});
