import { Button } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { Compass } from "lucide-react";
import { Suspense } from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorBoundary } from "./ErrorBoundary";
import { Global } from "./Global";
import { Loading } from "./Loading";
import { OfflineBanner } from "./OfflineBanner";
import {
  EditorScreen,
  ImagesScreen,
  ModelsScreen,
  ProjectsScreen,
  paths,
  ReviewScreen,
  RunsScreen,
} from "./routes";
import classes from "./shell.module.css";
import { TopBar } from "./TopBar";

/** The frame: bar on top, the screen under it. A screen fills the rest of the window and scrolls inside itself. */
export function Shell() {
  const [location] = useLocation();
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        Skip to the content
      </a>
      <TopBar />
      <OfflineBanner />
      <main className={classes.main} id="main" tabIndex={-1}>
        <ErrorBoundary resetKey={location}>
          <Suspense fallback={<Loading />}>
            <Routes />
          </Suspense>
        </ErrorBoundary>
      </main>
      <Global />
    </div>
  );
}

function Lost() {
  useDocumentTitle("Not found · Countersign");
  return (
    <EmptyState
      icon={<Compass size={32} />}
      title="There is nothing at this address"
      actions={
        <Button component={Link} href={paths.projects()}>
          All projects
        </Button>
      }
    >
      The link may be mistyped, or what it led to was deleted.
    </EmptyState>
  );
}

const number = (text: string | undefined) => Number.parseInt(text ?? "", 10);

function Routes() {
  return (
    <Switch>
      <Route path="/" component={ProjectsScreen} />
      <Route path="/models" component={ModelsScreen} />
      <Route path="/p/:id">{({ id }) => <Redirect to={paths.images(number(id))} replace />}</Route>
      <Route path="/p/:id/images">{({ id }) => <ImagesScreen key={id} projectId={number(id)} />}</Route>
      <Route path="/p/:id/image/:image">
        {({ id, image }) => <EditorScreen key={id} projectId={number(id)} imageId={number(image)} />}
      </Route>
      <Route path="/p/:id/runs">{({ id }) => <RunsScreen key={id} projectId={number(id)} />}</Route>
      <Route path="/p/:id/runs/:run/review">
        {({ id, run }) => <ReviewScreen key={run} projectId={number(id)} runId={number(run)} />}
      </Route>
      <Route>
        <Lost />
      </Route>
    </Switch>
  );
}
