import { Button } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { FolderPlus, Plus } from "lucide-react";
import { type DragEvent, useState } from "react";
import { useLocation } from "wouter";
import { useProjects } from "~/api";
import { usePaletteActions } from "~/app/palette-store";
import { paths } from "~/app/routes";
import type { Dropped } from "~/transfer/dropped";
import { droppedFiles } from "~/transfer/dropped";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { NewProject } from "./NewProject";
import { ProjectCard } from "./ProjectCard";
import classes from "./projects.module.css";

/** All projects, and how one begins. */
export default function ProjectsScreen() {
  const { data, error, refetch } = useProjects();
  const [, go] = useLocation();
  const [making, setMaking] = useState<Dropped[] | null>(null);
  const [over, setOver] = useState(false);
  useDocumentTitle("Projects · Countersign");
  usePaletteActions([
    {
      id: "project-new",
      group: "Projects",
      label: "New project",
      words: "create import",
      run: () => setMaking([]),
    },
  ]);
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.types.includes("Files")) setMaking(await droppedFiles(event.dataTransfer));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping files has a button beside it that does the same
    <div
      className={classes.screen}
      data-over={over || undefined}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files") || making) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => event.currentTarget === event.target && setOver(false)}
      onDrop={(event) => void drop(event)}
    >
      <div className={classes.head}>
        <h1>Projects</h1>
        <Button leftSection={<Plus size={14} />} onClick={() => setMaking([])}>
          New project
        </Button>
      </div>
      {error && !data ? (
        <ErrorState title="The projects could not be loaded" error={error} retry={() => void refetch()} />
      ) : !data ? (
        <div className={classes.cards} aria-busy="true">
          {Array.from({ length: 3 }, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
            <div key={i} className={classes.skeleton} />
          ))}
        </div>
      ) : data.length === 0 ? (
        <EmptyState
          icon={<FolderPlus size={36} />}
          title="Begin with a folder of images"
          actions={
            <Button leftSection={<Plus size={14} />} onClick={() => setMaking([])}>
              New project
            </Button>
          }
        >
          Choose a folder on the server, or drop images anywhere on this page. Then label some, teach a model
          by them, let it label the rest, and countersign what it says.
        </EmptyState>
      ) : (
        <div className={classes.cards}>
          {data.map((project) => (
            <ProjectCard key={project.id} project={project} />
          ))}
        </div>
      )}
      {making && (
        <NewProject
          files={making}
          taken={data?.map((each) => each.name) ?? []}
          onClose={() => setMaking(null)}
          onDone={(id) => go(paths.images(id))}
        />
      )}
      {over && <div className={classes.dropHint}>Drop to begin a project with these files</div>}
    </div>
  );
}
