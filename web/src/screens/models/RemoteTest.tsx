import { Button, FileButton, Select, TagsInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Plug, Upload, X } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import {
  api,
  type Image,
  type ImagePage,
  type ModelCard,
  type Prediction,
  pictureUrl,
  type RemoteModelTested,
  tell,
  useProjects,
} from "~/api";
import { ALL_IMAGES, formatQuery } from "~/api/image-query";
import { useCurrentProject } from "~/app/current-project";
import { SPLIT, splitList } from "~/models/classes";
import { useFileDrop } from "~/transfer/useFileDrop";
import { colorOf, confidence, LabelOverlay, many } from "~/ui";
import classes from "./remote.module.css";

interface Seen {
  src: string;
  width: number;
  height: number;
}

interface Told {
  text: string;
  bad: boolean;
  predictions: readonly Prediction[] | null;
  /** What was looked at, where it can be shown. */
  seen: Seen | null;
}

/** Ask a model's server: alone, with an image of a project, or with a file of one's own; and see what it finds. */
export function RemoteTest({ path, card }: { path: string; card: ModelCard }) {
  const [image, setImage] = useState<Image | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const [words, setWords] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<Told | null>(null);
  const source = useMemo(() => (file ? URL.createObjectURL(file) : ""), [file]);
  useEffect(() => () => URL.revokeObjectURL(source), [source]);
  const take = (next: File | null | undefined) => {
    setFile(next ?? null);
    setTold(null);
  };
  const { over, handlers } = useFileDrop((files) => take(files[0]?.file));

  const ask = () => {
    if (!file)
      return api.post<RemoteModelTested>(`${path}/test`, {
        body: { image_id: image?.id ?? null, min_confidence: card.min_confidence, classes: words },
      });
    const body = new FormData();
    body.append("file", file);
    body.append("min_confidence", String(card.min_confidence));
    for (const word of words) body.append("classes", word);
    return api.post<RemoteModelTested>(`${path}/test-file`, { body });
  };
  const test = async () => {
    setBusy(true);
    setTold(null);
    try {
      const { answer, seconds, predictions } = await ask();
      const labels = predictions ? ` · ${many(predictions.length, "prediction")}` : "";
      const seen = file
        ? await sized(source)
        : image && { src: pictureUrl(image), width: image.width, height: image.height };
      setTold({ text: `${answer} · ${seconds.toFixed(1)} s${labels}`, bad: false, predictions, seen });
    } catch (error) {
      const { what, todo } = tell(error);
      setTold({ text: `${what} ${todo}`.trim(), bad: true, predictions: null, seen: null });
    } finally {
      setBusy(false);
    }
  };
  const run = (
    <Button variant="default" leftSection={<Plug size={14} />} loading={busy} onClick={() => void test()}>
      Test
    </Button>
  );
  return (
    <section className={classes.test} aria-label="Test" data-over={over || undefined} {...handlers}>
      <h4>Try it</h4>
      {file ? (
        <div className={classes.file}>
          <span className="cs-truncate">{file.name}</span>
          <Button
            variant="subtle"
            color="gray"
            leftSection={<X size={14} />}
            aria-label="Without this file"
            onClick={() => take(null)}
          >
            Another
          </Button>
          {run}
        </div>
      ) : (
        <>
          <div className={classes.choice}>
            <ImageChoice
              value={image}
              onChange={(next) => {
                setImage(next);
                setTold(null);
              }}
            />
            {run}
          </div>
          <div className={classes.files}>
            or drop an image here,
            <FileButton accept="image/*" onChange={take}>
              {(props) => (
                <Button {...props} variant="subtle" size="compact-xs" leftSection={<Upload size={12} />}>
                  choose a file
                </Button>
              )}
            </FileButton>
          </div>
        </>
      )}
      {card.zero_shot && (
        <TagsInput
          aria-label="Words to look for"
          placeholder={words.length ? "" : "Words to look for"}
          value={words}
          onChange={(next) => setWords(splitList(next.join("\n")))}
          splitChars={SPLIT}
          acceptValueOnBlur
        />
      )}
      {told && (
        <p className={classes.told} role={told.bad ? "alert" : "status"}>
          {told.text}
        </p>
      )}
      {told?.predictions && told.seen && <Shown seen={told.seen} predictions={told.predictions} />}
    </section>
  );
}

interface ChoiceProps {
  value: Image | null;
  onChange: (image: Image | null) => void;
}

/** A project, then one of its images, found by typing a part of its name. */
function ImageChoice({ value, onChange }: ChoiceProps) {
  const projects = (useProjects().data ?? []).filter((each) => each.images > 0);
  const current = useCurrentProject();
  const [chosen, setChosen] = useState<number | null>(current);
  const project = projects.some((each) => each.id === chosen) ? chosen : null;
  const [text, setText] = useState("");
  const [settled] = useDebouncedValue(text === value?.name ? "" : text.trim(), 150);
  const { data } = useQuery({
    queryKey: ["image-choice", project, settled],
    queryFn: ({ signal }) =>
      api.get<ImagePage>(`/projects/${project}/images`, {
        params: { limit: 30, query: formatQuery({ ...ALL_IMAGES, text: settled }) },
        signal,
      }),
    enabled: project !== null,
    placeholderData: keepPreviousData,
  });
  const items = data?.items ?? [];
  const shown = value && !items.some((each) => each.id === value.id) ? [value, ...items] : items;
  return (
    <>
      <Select
        aria-label="Project of the image"
        placeholder="Without an image"
        data={projects.map((each) => ({ value: String(each.id), label: each.name }))}
        value={project ? String(project) : null}
        onChange={(next) => {
          setChosen(next ? Number(next) : null);
          onChange(null);
          setText("");
        }}
        clearable
        searchable={projects.length > 8}
      />
      <Select
        aria-label="Image of the test"
        placeholder={project ? "Part of its name" : "–"}
        disabled={!project}
        data={project ? shown.map((each) => ({ value: String(each.id), label: each.name })) : []}
        filter={({ options }) => options}
        comboboxProps={{ width: 300, position: "bottom-start" }}
        value={value ? String(value.id) : null}
        onChange={(id) => onChange(shown.find((each) => String(each.id) === id) ?? null)}
        searchable
        onSearchChange={setText}
        nothingFoundMessage="No image has this in its name"
        clearable
      />
    </>
  );
}

const NO_COLORS: ReadonlyMap<string, string> = new Map();

/** The image with what was found, and the classes by how sure the model is. */
function Shown({ seen, predictions }: { seen: Seen; predictions: readonly Prediction[] }) {
  const [box, setBox] = useState<HTMLDivElement | null>(null);
  const labels = useMemo(
    () => predictions.map((each) => ({ ...each, state: "proposed" as const })),
    [predictions],
  );
  const most = predictions.toSorted((a, b) => (b.confidence ?? 0) - (a.confidence ?? 0)).slice(0, 12);
  return (
    <>
      <div ref={setBox} className={classes.seen}>
        <img src={seen.src} alt="What the model looked at" />
        {box && (
          <LabelOverlay
            labels={labels}
            width={seen.width}
            height={seen.height}
            shown={{ width: box.clientWidth, height: box.clientHeight }}
            colors={NO_COLORS}
          />
        )}
      </div>
      <ul className={classes.found} aria-label="Predictions">
        {most.map((each, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they never change
          <li key={i} style={{ "--dot": colorOf(each.class_name) } as React.CSSProperties}>
            {each.class_name} {each.confidence === null ? "" : confidence(each.confidence)}
          </li>
        ))}
        {predictions.length > most.length && <li>and {predictions.length - most.length} more</li>}
      </ul>
    </>
  );
}

/** A file's picture with its size; null where the browser cannot show it. */
function sized(src: string): Promise<Seen | null> {
  return new Promise((resolve) => {
    const picture = new window.Image();
    picture.onload = () => resolve({ src, width: picture.naturalWidth, height: picture.naturalHeight });
    picture.onerror = () => resolve(null);
    picture.src = src;
  });
}
