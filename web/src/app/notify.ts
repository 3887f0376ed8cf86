/** Short messages in the corner. Errors say what happened and what to do, and stay until they are closed. */
import { notifications } from "@mantine/notifications";
import { createElement } from "react";
import { isAbort, NetworkError, tell } from "~/api/errors";

export function notifyDone(message: string, action?: { label: string; run: () => void }): void {
  const id = crypto.randomUUID();
  const run = () => {
    notifications.hide(id);
    action?.run();
  };
  const body = action
    ? createElement(
        "span",
        null,
        `${message} `,
        createElement("button", { type: "button", className: "cs-link", onClick: run }, action.label),
      )
    : message;
  notifications.show({ id, message: body, color: "seal", autoClose: action ? 8000 : 4000 });
}

/** Tell of an error under a title that says what did not work: `notifyError("The run could not be started", error)`. */
export function notifyError(title: string, error: unknown): void {
  if (isAbort(error)) return;
  const { what, todo } = tell(error);
  notifications.show({
    id: error instanceof NetworkError ? "network" : undefined,
    title,
    message: todo ? `${what} ${todo}` : what,
    color: "red",
    autoClose: 20_000,
    role: "alert",
  });
}
