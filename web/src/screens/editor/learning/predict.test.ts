import { expect, test } from "vitest";
import { backboneOf, pickModel } from "./predict";

test("the model of the project's last training comes before others", () => {
  expect(
    pickModel([{ model: null }, { model: "cells_2" }, { model: "cells_1" }], ["cells_1", "cells_2", "other"]),
  ).toBe("cells_2");
});

test("a model that was deleted is passed over; without any there is none", () => {
  expect(pickModel([{ model: "gone" }], ["other"])).toBe("other");
  expect(pickModel([{ model: "gone" }], [])).toBe("");
});

test("the backbone is read from the card of a model that was trained here", () => {
  const card = (details: Record<string, unknown>) => ({ card: { details } });
  expect(backboneOf(card({ network: { backbone: "resnet18" }, settings: {} }))).toBe("resnet18");
  expect(backboneOf(card({ network: null }))).toBe("");
  expect(backboneOf(card({}))).toBe("");
  expect(backboneOf(null)).toBe("");
});
