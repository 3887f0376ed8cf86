import { Button } from "@mantine/core";
import { Component, type ErrorInfo, type ReactNode } from "react";
import { ErrorState } from "~/ui/ErrorState";

interface Props {
  children: ReactNode;
  /** When this changes, the children are tried again (the address, for example). */
  resetKey?: string;
}

/** Keeps a broken screen from taking the rest with it. */
export class ErrorBoundary extends Component<Props, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    // biome-ignore lint/suspicious/noConsole: the only place where a report of it can be found
    console.error(error, info.componentStack);
  }

  override componentDidUpdate(before: Props) {
    if (before.resetKey !== this.props.resetKey && this.state.error) this.setState({ error: null });
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <ErrorState
        title="This screen broke"
        error={this.state.error}
        retry={() => this.setState({ error: null })}
        actions={
          <Button variant="default" onClick={() => window.location.reload()}>
            Reload the page
          </Button>
        }
      />
    );
  }
}
