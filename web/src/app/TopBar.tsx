import { Link, useRoute } from "wouter";
import { paths } from "./routes";
import classes from "./shell.module.css";

export function TopBar() {
  const [, params] = useRoute("/p/:id/*?");
  const project = params ? Number(params.id) : null;
  return (
    <header className={classes.bar}>
      <Link href={paths.projects()}>Countersign</Link>
      {project && <Link href={paths.images(project)}>Images</Link>}
      {project && <Link href={paths.runs(project)}>Runs</Link>}
      <Link href={paths.models()}>Models</Link>
    </header>
  );
}
