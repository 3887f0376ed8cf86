/** The runs of a project: what models label here, how far they are, what became of it. */
import { Button } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { Sparkles, TextSearch } from "lucide-react";
import { useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { type Run, useFields, useProject, useRuns } from "~/api";
import { usePaletteActions } from "~/app/palette-store";
import { paths } from "~/app/routes";
import { useShortcuts } from "~/app/shortcuts";
import { readView } from "~/app/view";
import { EmptyState, ErrorState } from "~/ui";
import { AdoptDialog } from "./AdoptDialog";
import { AutoLabelDialog } from "./AutoLabelDialog";
import { FailuresDialog } from "./FailuresDialog";
import { RunCard } from "./RunCard";
import classes from "./runs.module.css";
import { runsShortcuts } from "./shortcuts";

export default function RunsScreen({ projectId }: { projectId: number }) {
  const search = useSearch();
  const [location, go] = useLocation();
  const project = useProject(projectId).data;
  const { data: runs, error, refetch } = useRuns(projectId);
  const fields = useFields(projectId).data ?? [];
  const [adopting, setAdopting] = useState(false);
  const [failures, setFailures] = useState<number | null>(null);
  const [like, setLike] = useState<Run | null>(null);
  useDocumentTitle(project ? `Runs · ${project.name} · Countersign` : "Countersign");

  // That the dialog is open stands in the address: the grid links to it, with its filter and selection.
  const says = new URLSearchParams(search);
  const starting = says.has("new");
  const start = (on: boolean) => {
    const next = new URLSearchParams(search);
    if (on) next.set("new", "1");
    else {
      next.delete("new");
      setLike(null);
    }
    const text = next.toString();
    go(text ? `${location}?${text}` : location, { replace: true });
  };
  const adoptable = fields.filter((field) => field.has_confidence && (field.run_id === null || field.closed));
  useShortcuts(runsShortcuts, { start: () => start(true) });
  usePaletteActions([
    {
      id: "runs-start",
      group: "Runs",
      label: "Auto label",
      words: "new run model",
      keys: "n",
      run: () => start(true),
    },
    {
      id: "runs-adopt",
      group: "Runs",
      label: "Analyse existing labels",
      words: "review adopt field",
      run: () => setAdopting(true),
    },
  ]);

  const buttons = (
    <>
      <Button variant="default" leftSection={<TextSearch size={14} />} onClick={() => setAdopting(true)}>
        Analyse existing labels
      </Button>
      <Button leftSection={<Sparkles size={14} />} onClick={() => start(true)}>
        Auto label
      </Button>
    </>
  );
  const failing = runs?.find((run) => run.id === failures);
  return (
    <div className={classes.screen}>
      <div className={classes.page}>
        <header className={classes.head}>
          <h1>Runs</h1>
          {runs && runs.length > 0 && buttons}
        </header>
        {runs?.map((run) => (
          <RunCard
            key={run.id}
            run={run}
            onFailures={() => setFailures(run.id)}
            onLike={() => {
              setLike(run);
              start(true);
            }}
          />
        ))}
        {runs?.length === 0 && (
          <EmptyState
            icon={<Sparkles size={28} />}
            title={
              project?.images === 0 ? "There are no images to label yet" : "No model has labelled here yet"
            }
            actions={
              project?.images === 0 ? (
                <Button component={Link} href={paths.images(projectId)}>
                  Add images
                </Button>
              ) : (
                buttons
              )
            }
          >
            A run lets a model label images. What it finds are proposals in a field of their own: you review
            them, and only what you approve joins your labels.
          </EmptyState>
        )}
        {!runs &&
          (error ? (
            <ErrorState title="The runs could not be loaded" error={error} retry={() => void refetch()} />
          ) : (
            [1, 2, 3].map((each) => <div key={each} className={classes.skeleton} aria-hidden />)
          ))}
      </div>
      {starting && (
        <AutoLabelDialog
          projectId={projectId}
          view={readView(search)}
          like={like}
          onClose={() => start(false)}
          onMade={() => {
            setLike(null);
            go(location, { replace: true });
          }}
        />
      )}
      {adopting && (
        <AdoptDialog projectId={projectId} fields={adoptable} onClose={() => setAdopting(false)} />
      )}
      {failing && <FailuresDialog run={failing} onClose={() => setFailures(null)} />}
    </div>
  );
}
