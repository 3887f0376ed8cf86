import { ActionIcon, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { ChevronDown, CircleHelp, Moon, Search, Sun } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { useProject, useProjects } from "~/api";
import { short } from "~/ui/format";
import { KeyHint } from "~/ui/KeyHint";
import { Activity } from "./Activity";
import { useCurrentProject } from "./current-project";
import { Logo } from "./Logo";
import { usePalette } from "./palette-store";
import { recentFirst } from "./recent";
import { paths } from "./routes";
import { useSheet } from "./sheet-store";
import classes from "./shell.module.css";

export function TopBar() {
  const [location] = useLocation();
  const project = useCurrentProject();
  return (
    <header className={classes.bar}>
      <Link href={paths.projects()} className={classes.logo} aria-label="Countersign: all projects">
        <Logo />
        {project === null && <span>Countersign</span>}
      </Link>
      <nav className={classes.nav} aria-label="Main">
        {project === null ? (
          <>
            <Tab href={paths.projects()} active={location === "/"}>
              Projects
            </Tab>
            <Tab href={paths.models()} active={location === "/models"}>
              Models
            </Tab>
          </>
        ) : (
          <ProjectTabs project={project} location={location} />
        )}
      </nav>
      <div className={classes.tools}>
        {project !== null && <Activity project={project} />}
        <button type="button" className={classes.search} onClick={() => usePalette.getState().setOpen(true)}>
          <Search size={14} />
          <span>Go to or do …</span>
          <KeyHint keys="mod+k" />
        </button>
        <SchemeToggle />
        <Tooltip label="Keyboard and mouse (?)">
          <ActionIcon aria-label="Keyboard shortcuts" onClick={() => useSheet.setState({ open: true })}>
            <CircleHelp size={16} />
          </ActionIcon>
        </Tooltip>
      </div>
    </header>
  );
}

function Tab({ href, active, children }: { href: string; active: boolean; children: ReactNode }) {
  return (
    <Link href={href} className={classes.tab} aria-current={active ? "page" : undefined}>
      {children}
    </Link>
  );
}

function ProjectTabs({ project, location }: { project: number; location: string }) {
  const { data } = useProject(project);
  const base = `/p/${project}`;
  return (
    <>
      <ProjectMenu current={project} name={data?.name ?? ""} />
      <Tab href={paths.images(project)} active={location.startsWith(`${base}/image`)}>
        Images <span className={classes.tabCount}>{data ? short(data.images) : ""}</span>
      </Tab>
      <Tab href={paths.runs(project)} active={location.startsWith(`${base}/runs`)}>
        Runs <span className={classes.tabCount}>{data ? short(data.runs) : ""}</span>
      </Tab>
      <Tab href={paths.models()} active={location === "/models"}>
        Models
      </Tab>
    </>
  );
}

function ProjectMenu({ current, name }: { current: number; name: string }) {
  const { data } = useProjects();
  const [, go] = useLocation();
  return (
    <Menu width={280}>
      <Menu.Target>
        <button type="button" className={classes.project} aria-label={`Project ${name}: choose another`}>
          <span className="cs-truncate" title={name}>
            {name}
          </span>
          <ChevronDown size={14} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Projects</Menu.Label>
        {recentFirst(data ?? [])
          .slice(0, 12)
          .map((each) => (
            <Menu.Item
              key={each.id}
              onClick={() => go(paths.images(each.id))}
              aria-current={each.id === current || undefined}
              rightSection={<span className={classes.tabCount}>{short(each.images)}</span>}
              fw={each.id === current ? 600 : undefined}
            >
              <div className="cs-truncate" title={each.name}>
                {each.name}
              </div>
            </Menu.Item>
          ))}
        <Menu.Divider />
        <Menu.Item onClick={() => go(paths.projects())}>All projects</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("dark");
  const next = scheme === "dark" ? "light" : "dark";
  return (
    <Tooltip label={`Switch to ${next}`}>
      <ActionIcon aria-label={`Switch to ${next} colours`} onClick={() => setColorScheme(next)}>
        {scheme === "dark" ? <Sun size={16} /> : <Moon size={16} />}
      </ActionIcon>
    </Tooltip>
  );
}
