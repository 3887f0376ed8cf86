import { expect, test } from "vitest";
import guide from "../../../docs/guide/workbench.md?raw";
import { showKeys } from "./keys";
import { catalogue } from "./shortcut-catalogue";
import type { Scope, ShortcutInfo } from "./shortcuts";

/** The tables of the guide are made of what the keyboard does: a new shortcut without a row is told here. */
test.each(catalogue.map((scope) => [scope.title, scope] as const))(
  "the guide has the keys of %s",
  (_, scope) => {
    expect(`${guide}\n`).toContain(tableOf(scope));
  },
);

function tableOf(scope: Scope): string {
  const rows = Object.values(scope.shortcuts).map((each) => `| ${keysOf(each)} | ${each.label} |`);
  return [`### ${scope.title}`, "", "| keys | what they do |", "|---|---|", ...rows, ""].join("\n");
}

function keysOf(info: ShortcutInfo): string {
  if (info.shown) return info.shown;
  return info.keys.map((each) => showKeys(each, false).join(" ")).join(" or ");
}
