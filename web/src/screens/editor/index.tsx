/** The editor: one image, its labels, and in place of the list of labels the learning panel. */
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useEffect, useLayoutEffect, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import {
  api,
  type Image,
  keys,
  type LabelClass,
  onServerEvent,
  pictureUrl,
  tell,
  thumbnailUrl,
  useClasses,
  useFields,
} from "~/api";
import { notifyError } from "~/app/notify";
import { paths } from "~/app/routes";
import { useShortcuts } from "~/app/shortcuts";
import { useView } from "~/app/view";
import type { EditorSession } from "~/editor/session";
import { ErrorState } from "~/ui/ErrorState";
import { later } from "~/ui/later";
import { ClassPicker } from "./ClassPicker";
import { Conflicts } from "./Conflicts";
import { EditorContext } from "./context";
import { Controller } from "./controller";
import { DrawingBar } from "./DrawingBar";
import { useImageDetail, usePlace, usePrefetch } from "./data";
import { EditorBar } from "./EditorBar";
import classes from "./editor.module.css";
import { handlersOf } from "./handlers";
import { LabelsPanel } from "./LabelsPanel";
import { LearningPanel } from "./learning/LearningPanel";
import { ShapeMenu } from "./ShapeMenu";
import { StageView } from "./StageView";
import { StatusBar } from "./StatusBar";
import { openSession, sessionNow } from "./sessions";
import { editorShortcuts } from "./shortcuts";
import { useSmartCommands } from "./smart/commands";
import { ToolRail } from "./ToolRail";
import { useUi } from "./ui";

const AskPanel = lazy(() => import("./asking/AskPanel"));
const SmartPanel = later(async () => (await import("./smart/SmartPanel")).default);

interface Props {
  projectId: number;
  imageId: number;
}

export default function EditorScreen(props: Props) {
  const [session, setSession] = useState<EditorSession | null>(() => sessionNow(props.projectId));
  useEffect(() => {
    let gone = false;
    void openSession(props.projectId).then((opened) => !gone && setSession(opened));
    return () => {
      gone = true;
    };
  }, [props.projectId]);
  return session ? (
    <Editor {...props} session={session} />
  ) : (
    <div className={classes.editor} aria-busy="true" />
  );
}

function useController(session: EditorSession): Controller | null {
  const [controller, setController] = useState<Controller | null>(null);
  useLayoutEffect(() => {
    const made = new Controller(session);
    setController(made);
    return () => made.close();
  }, [session]);
  return controller;
}

function Editor({ projectId, imageId, session }: Props & { session: EditorSession }) {
  const controller = useController(session);
  const { view, search } = useView();
  const [, go] = useLocation();
  const field = useFieldName(view.query.field);
  const { data: fields } = useFields(projectId);
  const { data: labelClasses } = useClasses(projectId);
  const detail = useImageDetail(projectId, imageId);
  const place = usePlace(projectId, imageId, view.text, view.sort);
  const learning = useUi((ui) => ui.learning);
  const asking = useUi((ui) => ui.asking);
  const smart = useUi((ui) => ui.tool === "smart");
  const image = detail.data?.image ?? null;
  const readOnly = fields?.find((each) => each.name === field)?.closed ?? false;

  useClassesOf(controller, projectId, labelClasses);
  const problem = useOpenImage(controller, image, field, readOnly);
  useOthersChanges(session, projectId, imageId, field);
  usePrefetch(controller, projectId, field, place.ahead);

  const open = useCallback(
    (id: number | null) =>
      id !== null && controller?.mayLeave() && go(paths.image(projectId, id, search), { replace: true }),
    [controller, go, projectId, search],
  );
  const leave = useCallback(() => {
    if (controller && !controller.mayLeave()) return;
    const kept = new URLSearchParams(search);
    kept.delete("field");
    go(paths.images(projectId, kept.toString()));
  }, [controller, go, projectId, search]);
  useShortcuts(
    editorShortcuts,
    controller ? handlersOf(controller, place, open, leave, labelClasses ?? []) : {},
  );

  useSmartCommands(controller);

  const context = useMemo(
    () =>
      controller && {
        controller,
        session,
        projectId,
        imageId,
        image,
        field,
        readOnly,
        labelClasses: labelClasses ?? [],
      },
    [controller, session, projectId, imageId, image, field, readOnly, labelClasses],
  );
  if (detail.error && !image) {
    return (
      <ErrorState
        title="The image could not be opened"
        error={detail.error}
        retry={() => void detail.refetch()}
      />
    );
  }
  if (!context) return <div className={classes.editor} aria-busy="true" />;
  return (
    <EditorContext value={context}>
      <div className={classes.editor}>
        <ToolRail />
        <aside className={classes.side} aria-label={asking ? "Questions" : learning ? "Learning" : "Labels"}>
          {asking ? (
            <Suspense fallback={<div aria-busy="true" />}>
              <AskPanel />
            </Suspense>
          ) : learning ? (
            <LearningPanel />
          ) : (
            <LabelsPanel fields={fields ?? []} />
          )}
        </aside>
        <section className={classes.center} aria-label="Image">
          <EditorBar place={place} open={open} leave={leave} path={detail.data?.path ?? ""} />
          <div className={classes.stageArea}>
            <StageView problem={problem} />
            <Conflicts />
            <DrawingBar />
            <ClassPicker />
            <ShapeMenu />
            {smart && <SmartPanel />}
          </div>
          <StatusBar />
        </section>
      </div>
    </EditorContext>
  );
}

/** The field whose labels are edited: from the address, else the one that the grid is filtered by. */
function useFieldName(filtered: string): string {
  const search = useSearch();
  return new URLSearchParams(search).get("field") || filtered || "ground_truth";
}

function useClassesOf(
  controller: Controller | null,
  projectId: number,
  labelClasses: readonly LabelClass[] | undefined,
) {
  const client = useQueryClient();
  useLayoutEffect(() => {
    if (controller && labelClasses) controller.setClasses(labelClasses);
  }, [controller, labelClasses]);
  useEffect(() => {
    if (!controller) return;
    controller.onNewClass = (name) => {
      const request = api.post<LabelClass>(`/projects/${projectId}/classes`, { body: { name } });
      request.then(
        (made) => {
          client.setQueryData<LabelClass[]>(keys.classes(projectId), (all) => [
            ...(all ?? []).filter((each) => each.name !== name),
            made,
          ]);
          void client.invalidateQueries({ queryKey: keys.classes(projectId) });
        },
        // The label that comes with it makes the class as well, when the server is back.
        (error) => notifyError(`The class “${name}” is not on the server yet`, error),
      );
    };
  }, [controller, projectId, client]);
}

/** Show the image: at once what is there, then what comes. Returns what went wrong, for the stage to tell. */
function useOpenImage(controller: Controller | null, image: Image | null, field: string, readOnly: boolean) {
  const [problem, setProblem] = useState<{ title: string; error: unknown; retry: () => void } | null>(null);
  const [attempt, setAttempt] = useState(0);
  useLayoutEffect(() => {
    if (!controller || !image) return;
    const { session } = controller;
    const url = pictureUrl(image);
    const retry = () => setAttempt((now) => now + 1);
    let gone = false;
    setProblem(null);
    if (attempt >= 0) controller.open(image, session.document(image.id, field), readOnly);
    controller.setPicture(url);
    if (!controller.pictures.peek(url)) {
      const preview = thumbnailUrl(image, 512);
      void controller.pictures.load(preview).then(
        () => !gone && controller.setPreview(preview),
        () => {}, // the picture itself tells what is wrong
      );
    }
    controller.pictures.load(url, true).then(
      () => !gone && controller.setPicture(url),
      (error) => !gone && setProblem({ title: "The picture could not be shown", error, retry }),
    );
    session.load(image.id, field).catch((error) => {
      if (!gone && !session.document(image.id, field).loaded) {
        setProblem({ title: "The labels could not be loaded", error, retry });
      }
    });
    return () => {
      gone = true;
    };
  }, [controller, image, field, readOnly, attempt]);
  return problem;
}

/** Load again when somebody else changed labels of this image. */
function useOthersChanges(session: EditorSession, projectId: number, imageId: number, field: string) {
  useEffect(
    () =>
      onServerEvent((event) => {
        const reload = () => void session.load(imageId, field).catch((error: unknown) => tell(error));
        if (event.type === "reset") reload();
        if (event.type !== "change" || event.project_id !== projectId || session.isOwn(event.change.id))
          return;
        if (event.image_ids === null || event.image_ids.includes(imageId)) reload();
      }),
    [session, projectId, imageId, field],
  );
}
