import { Button, Select, TextInput } from "@mantine/core";
import { useDocumentTitle, useLocalStorage } from "@mantine/hooks";
import { FolderPlus, Plus, Search, SearchX } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { useProjects } from "~/api";
import { usePaletteActions } from "~/app/palette-store";
import { recentFirst } from "~/app/recent";
import { paths } from "~/app/routes";
import type { Dropped } from "~/transfer/dropped";
import { useFileDrop } from "~/transfer/useFileDrop";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { NewProject } from "./NewProject";
import { ProjectCard } from "./ProjectCard";
import classes from "./projects.module.css";

type Order = "recent" | "name";
/** From so many on there is a field to find one by. */
const MANY = 6;

/** All projects, and how one begins. */
export default function ProjectsScreen() {
  const { data, error, refetch } = useProjects();
  const [, go] = useLocation();
  const [making, setMaking] = useState<Dropped[] | null>(null);
  const drop = useFileDrop(setMaking, making === null);
  const [find, setFind] = useState("");
  const [order, setOrder] = useLocalStorage<Order>({
    key: "countersign.projects.order",
    defaultValue: "recent",
    getInitialValueInEffect: false,
  });
  const shown = useMemo(() => {
    const wanted = find.trim().toLowerCase();
    const found = (data ?? []).filter((each) => each.name.toLowerCase().includes(wanted));
    return order === "name" ? found : recentFirst(found);
  }, [data, find, order]);
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
  return (
    <div className={classes.screen} {...drop.handlers}>
      <div className={classes.head}>
        <h1>Projects</h1>
        {data && data.length > MANY && (
          <TextInput
            className={classes.find}
            aria-label="Find a project"
            placeholder="Find a project …"
            leftSection={<Search size={14} />}
            value={find}
            onChange={(event) => setFind(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Escape" && setFind("")}
          />
        )}
        {data && data.length > 1 && (
          <Select
            aria-label="Order of the projects"
            w={140}
            data={[
              { value: "recent", label: "Last activity" },
              { value: "name", label: "Name" },
            ]}
            value={order}
            onChange={(value) => value && setOrder(value as Order)}
            allowDeselect={false}
            comboboxProps={{ shadow: "md" }}
          />
        )}
        {data?.length !== 0 && (
          <Button leftSection={<Plus size={14} />} onClick={() => setMaking([])}>
            New project
          </Button>
        )}
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
      ) : shown.length === 0 ? (
        <EmptyState
          icon={<SearchX size={32} />}
          title={`No project is called “${find.trim()}”`}
          actions={
            <Button variant="default" onClick={() => setFind("")}>
              Show all {data.length}
            </Button>
          }
        />
      ) : (
        <div className={classes.cards}>
          {shown.map((project) => (
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
      {drop.over && <div className={classes.dropHint}>Drop to begin a project with these files</div>}
    </div>
  );
}
