import { Button, PasswordInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { KeyRound, ServerOff } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { ApiError, api, keys, type Session, tell, useConnection, useSession } from "~/api";
import { EmptyState } from "~/ui/EmptyState";
import { Loading } from "./Loading";
import classes from "./shell.module.css";

/** The token of the link that `countersign serve` prints, taken out of the address bar. */
function tokenInAddress(): string | null {
  const here = new URL(window.location.href);
  const token = here.searchParams.get("token") ?? new URLSearchParams(here.hash.slice(1)).get("token");
  if (!token) return null;
  here.searchParams.delete("token");
  here.hash = "";
  window.history.replaceState(null, "", here);
  return token;
}

let opening: Promise<unknown> | null = null;
function openFromAddress(): Promise<unknown> {
  const token = opening ? null : tokenInAddress();
  opening ??= token
    ? api.post<Session>("/session", { body: { token } }).catch(() => undefined)
    : Promise.resolve();
  return opening;
}

/** Lets the app in when the server knows this browser; else asks for the link's token. */
export function SessionGate({ children }: { children: ReactNode }) {
  const [ready, setReady] = useState(false);
  useEffect(() => void openFromAddress().then(() => setReady(true)), []);
  return ready ? <Inside>{children}</Inside> : <Loading />;
}

function Inside({ children }: { children: ReactNode }) {
  const { data, error, refetch } = useSession();
  const locked = useConnection((state) => state.locked);
  if (locked || (error instanceof ApiError && error.status === 401)) return <Locked />;
  if (data) return children;
  if (!error) return <Loading />;
  const { what, todo } = tell(error);
  return (
    <div className={classes.gate}>
      <EmptyState
        icon={<ServerOff size={32} />}
        title={what}
        actions={<Button onClick={() => void refetch()}>Try again</Button>}
      >
        {todo}
      </EmptyState>
    </div>
  );
}

function Locked() {
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const open = async (event: FormEvent) => {
    event.preventDefault();
    try {
      const text = token.trim();
      const session = await api.post<Session>("/session", {
        body: { token: text.includes("token=") ? (text.split("token=")[1] ?? "") : text },
      });
      useConnection.getState().setLocked(false);
      client.setQueryData(keys.session, session);
      await client.invalidateQueries();
    } catch (error) {
      const { what, todo } = tell(error);
      setProblem(`${what} ${todo}`.trim());
    }
  };
  return (
    <div className={classes.gate}>
      <EmptyState icon={<KeyRound size={32} />} title="Open the link that “countersign serve” printed">
        This browser has no session with the server. The link opens one; or paste the link or its token here.
      </EmptyState>
      <form onSubmit={open} className={classes.gateForm}>
        <PasswordInput
          aria-label="Link or token"
          placeholder="Link or token"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={problem || undefined}
          autoFocus
        />
        <Button type="submit" disabled={!token.trim()}>
          Open
        </Button>
      </form>
    </div>
  );
}
