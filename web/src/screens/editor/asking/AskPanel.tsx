/** In place of the labels: a question about the open image, answered by a model; and the questions before it. */
import { ActionIcon, Button, Loader, Select, Textarea, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { CornerDownLeft, List, MessageCircleQuestionMark, RotateCw, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useState } from "react";
import { Link } from "wouter";
import { api, type CatalogueList } from "~/api";
import { paths } from "~/app/routes";
import { remoteName, useRemoteModels } from "~/models/remote";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { useEditor } from "../context";
import editor from "../editor.module.css";
import { setUi } from "../ui";
import classes from "./asking.module.css";
import { type Asked, ask, askable, forget, LONGEST, useQuestions } from "./questions";

export default function AskPanel() {
  const found = useQuery({
    queryKey: ["models", "questions"],
    queryFn: ({ signal }) => api.get<CatalogueList>("/catalogue?task=questions", { signal }),
  });
  const remote = useRemoteModels().data ?? [];
  const models = found.data ? askable(found.data, remote) : [];
  return (
    <div className={classes.panel}>
      <div className={editor.head}>
        <h2>Questions</h2>
        <Tooltip label="Back to the labels (Q)">
          <ActionIcon size={22} aria-label="Back to the labels" onClick={() => setUi({ asking: false })}>
            <List size={15} />
          </ActionIcon>
        </Tooltip>
      </div>
      {found.error && (
        <ErrorState
          title="The models could not be listed"
          error={found.error}
          retry={() => void found.refetch()}
        />
      )}
      {found.isPending && (
        <div className={classes.waiting} aria-busy="true">
          <Loader size="sm" />
        </div>
      )}
      {found.data && models.length === 0 && <None />}
      {models.length > 0 && <Ask models={models} />}
    </div>
  );
}

function None() {
  return (
    <EmptyState
      icon={<MessageCircleQuestionMark size={26} />}
      title="No model answers questions yet"
      actions={
        <Button component={Link} href={paths.models()} variant="default">
          Open the models
        </Button>
      }
    >
      Fetch one that does: smolvlm2-500m is small enough for a computer without a graphics card.
    </EmptyState>
  );
}

function Ask({ models }: { models: readonly string[] }) {
  const { image } = useEditor();
  const chosen = useQuestions((state) => state.model);
  const asked = useQuestions((state) => (image ? state.byImage.get(image.id) : undefined)) ?? [];
  const [text, setText] = useState("");
  const model = models.includes(chosen) ? chosen : (models[0] ?? "");
  const ready = image !== null && text.trim() !== "";
  const put = () => {
    if (!image || !ready) return;
    void ask(image.id, model, text);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      put();
    }
    if (event.key === "Escape") (event.target as HTMLElement).blur();
  };
  return (
    <>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          put();
        }}
      >
        <Select
          label="Model"
          data={models.map((name) => ({ value: name, label: remoteName(name) }))}
          value={model}
          onChange={(name) => name && useQuestions.setState({ model: name })}
          allowDeselect={false}
          searchable={models.length > 8}
        />
        <Textarea
          label="Question"
          placeholder="How many cells overlap?"
          autosize
          minRows={2}
          maxRows={8}
          maxLength={LONGEST}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          data-autofocus
          ref={useFocus()}
        />
        <Button type="submit" disabled={!ready} rightSection={<CornerDownLeft size={14} />}>
          Ask
        </Button>
      </form>
      <ol className={classes.list} aria-label="Questions about this image" aria-live="polite">
        {asked.map((each) => (
          <Exchange key={each.id} asked={each} image={image?.id ?? 0} />
        ))}
      </ol>
    </>
  );
}

/** Put the cursor into a field as it appears: who opens the panel wants to write. */
function useFocus() {
  const [field, setField] = useState<HTMLTextAreaElement | null>(null);
  useEffect(() => field?.focus(), [field]);
  return setField;
}

function Exchange({ asked, image }: { asked: Asked; image: number }) {
  const { answer, problem } = asked;
  return (
    <li className={classes.exchange}>
      <div className={classes.question}>
        <span>{asked.question}</span>
        {(answer || problem) && (
          <ActionIcon size={20} aria-label="Put this question away" onClick={() => forget(image, asked.id)}>
            <X size={13} />
          </ActionIcon>
        )}
      </div>
      {answer && <p className={classes.answer}>{answer.text || "The model said nothing."}</p>}
      {problem && (
        <div className={classes.problem} role="alert">
          <p>{problem}</p>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<RotateCw size={12} />}
            onClick={() => {
              forget(image, asked.id);
              void ask(image, asked.model, asked.question);
            }}
          >
            Ask again
          </Button>
        </div>
      )}
      <div className={classes.by}>
        {!answer && !problem && <Loader size={11} aria-label="Waiting for the answer" />}
        <span>{answer?.answered_by.model ?? asked.model}</span>
        {answer && <span>{answer.seconds.toFixed(1)} s</span>}
      </div>
    </li>
  );
}
