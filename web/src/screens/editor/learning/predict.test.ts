import { expect, test } from "vitest";
import { pickModel } from "./predict";

test("the model of the project's last training comes before others", () => {
  expect(
    pickModel([{ model: null }, { model: "cells_2" }, { model: "cells_1" }], ["cells_1", "cells_2", "other"]),
  ).toBe("cells_2");
});

test("a model that was deleted is passed over; without any there is none", () => {
  expect(pickModel([{ model: "gone" }], ["other"])).toBe("other");
  expect(pickModel([{ model: "gone" }], [])).toBe("");
});
