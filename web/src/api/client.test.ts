import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api, url } from "./client";
import { useConnection } from "./connection";
import { ApiError, NetworkError, tell } from "./errors";

const fetching = vi.fn<typeof fetch>();
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", fetching);
  fetching.mockReset();
  useConnection.setState({ online: true, locked: false });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const json = (data: unknown, status = 200, type = "application/json") =>
  new Response(JSON.stringify(data), { status, headers: { "content-type": type } });

describe("addresses", () => {
  it("repeat lists and leave out what is empty", () =>
    expect(url("/x", { a: [1, 2], b: "", c: null, d: false, e: 0 })).toBe("/api/v1/x?a=1&a=2&d=false&e=0"));
});

describe("requests", () => {
  it("send and receive JSON", async () => {
    fetching.mockResolvedValue(json({ id: 7 }));
    expect(await api.post("/projects", { body: { name: "cells" } })).toEqual({ id: 7 });
    const [address, init] = fetching.mock.calls[0]!;
    expect(address).toBe("/api/v1/projects");
    expect(init).toMatchObject({ method: "POST", body: '{"name":"cells"}', credentials: "same-origin" });
  });

  it("turn problems into errors that say what and what to do", async () => {
    const problem = {
      status: 404,
      title: "x",
      detail: "There is no project 9.",
      remedy: "Look at the list.",
      kind: "NotFound",
    };
    fetching.mockResolvedValue(json(problem, 404, "application/problem+json"));
    const error = await api.get("/projects/9").catch((found: unknown) => found);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 404, kind: "NotFound" });
    expect(tell(error)).toEqual({ what: "There is no project 9.", todo: "Look at the list." });
  });

  it("name the values that are wrong", async () => {
    fetching.mockResolvedValue(
      json({ status: 422, detail: "No.", errors: [{ where: "body.name", what: "too long" }] }, 422),
    );
    await expect(api.post("/projects", { body: {} })).rejects.toThrow("No. (body.name: too long)");
  });

  it("survive an error that is no problem", async () => {
    fetching.mockResolvedValue(
      new Response("<h1>Bad gateway</h1>", { status: 502, statusText: "Bad Gateway" }),
    );
    await expect(api.get("/x")).rejects.toThrow("The server answered 502 Bad Gateway.");
  });

  it("try reading again when no answer came, and know when they are back", async () => {
    fetching.mockRejectedValueOnce(new TypeError("Failed to fetch")).mockResolvedValueOnce(json(1));
    const answer = api.get("/x");
    await vi.runAllTimersAsync();
    expect(await answer).toBe(1);
    expect(useConnection.getState().online).toBe(true);
  });

  it("never do twice what may have been done", async () => {
    fetching.mockRejectedValue(new TypeError("Failed to fetch"));
    await expect(api.post("/x")).rejects.toBeInstanceOf(NetworkError);
    expect(fetching).toHaveBeenCalledOnce();
    expect(useConnection.getState().online).toBe(false);
  });

  it("stop when they are not wanted any more", async () => {
    const stop = new AbortController();
    fetching.mockRejectedValue(new TypeError("Failed to fetch"));
    const answer = api.get("/x", { signal: stop.signal });
    const caught = expect(answer).rejects.toMatchObject({ name: "AbortError" });
    await vi.advanceTimersByTimeAsync(50);
    stop.abort();
    await caught;
    expect(fetching).toHaveBeenCalledOnce();
  });

  it("say when the server does not know this browser", async () => {
    fetching.mockResolvedValue(json({ status: 401, detail: "You are not signed in." }, 401));
    await expect(api.get("/x")).rejects.toBeInstanceOf(ApiError);
    expect(useConnection.getState().locked).toBe(true);
  });
});
