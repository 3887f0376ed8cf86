import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect } from "react";
import { connectEvents } from "~/api/events";
import { makeQueryClient } from "~/api/queries";
import { Confirmer } from "~/ui/confirm";
import { ErrorBoundary } from "./ErrorBoundary";
import { SessionGate } from "./SessionGate";
import { Shell } from "./Shell";
import { schemeManager } from "./scheme";
import { listenForShortcuts } from "./shortcuts";
import { theme, variables } from "./theme";

const client = makeQueryClient();

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      colorSchemeManager={schemeManager}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" limit={4} containerWidth={352} />
        <Confirmer />
        <ErrorBoundary>
          <SessionGate>
            <Connected />
          </SessionGate>
        </ErrorBoundary>
      </QueryClientProvider>
    </MantineProvider>
  );
}

function Connected() {
  useEffect(() => connectEvents(client), []);
  useEffect(listenForShortcuts, []);
  return <Shell />;
}
