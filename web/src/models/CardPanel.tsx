import { ActionIcon, Badge, Menu } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, type CatalogueEntry, type CatalogueModel, keys } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { confirm } from "~/ui/confirm";
import { Facts } from "~/ui/Facts";
import { bytes, count, many } from "~/ui/format";
import { downloadSize, published, TASK_NAMES, vocabularyOf } from "./catalogue";
import styles from "./models.module.css";
import { PullAction } from "./PullAction";
import { useCatalogueModel } from "./queries";
import { Rating } from "./Ratings";

const SHOWN = 24;

interface Props {
  entry: CatalogueEntry | CatalogueModel;
  /** With what may be done with its files; not in a dialog about something else. */
  manage?: boolean;
}

/** What a model says of itself: ratings with the numbers behind them, licences, size, classes. */
export function CardPanel({ entry, manage }: Props) {
  const known = "class_names" in entry ? entry : undefined;
  const asked = useCatalogueModel(known ? "" : entry.name).data;
  const whole = known ?? asked;
  const numbers = published(entry.published);
  return (
    <article className={styles.panel} aria-label={`Card of ${entry.name}`}>
      <div className={styles.panelTop}>
        <h3 title={entry.name}>{entry.name}</h3>
        {manage && <Manage entry={entry} />}
      </div>
      <div className={styles.badges}>
        {entry.tasks.map((task) => (
          <Badge key={task} tt="none" fw={500}>
            {TASK_NAMES[task]}
          </Badge>
        ))}
        <span>{vocabularyOf(entry)}</span>
      </div>
      {entry.description && <p className={styles.prose}>{entry.description}</p>}
      <PullAction entry={entry} />
      {(entry.speed > 0 || entry.performance > 0) && (
        <div className={styles.ratings}>
          <Rating of="speed" value={entry.speed} named />
          <Rating of="performance" value={entry.performance} named />
        </div>
      )}
      {numbers.length > 0 && (
        <dl className={styles.numbers}>
          {numbers.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {entry.published_source && (
        <p className={styles.note}>
          Numbers from <Source text={entry.published_source} />
        </p>
      )}
      <Said entry={entry} />
      {whole && whole.class_names.length > 0 && <Classes names={whole.class_names} />}
    </article>
  );
}

function Said({ entry }: { entry: CatalogueEntry }) {
  const { installed } = entry;
  const scores = Object.entries(entry.scores);
  const rows: [string, React.ReactNode][] = [
    ["Weights", entry.licence || "licence not said"],
    ["Code", entry.code_licence],
    ["Author", entry.author],
    ["Source", entry.source && <Source text={entry.source} />],
    ["Download", entry.origin !== "own" && downloadSize(entry)],
    [
      "On this computer",
      installed?.folder && (
        <>
          {installed.bytes > 0 && `${bytes(installed.bytes)}, `}
          <code>{installed.folder}</code>
        </>
      ),
    ],
    [
      "Needs",
      [entry.extra && `countersign[${entry.extra}]`, entry.gpu && "a GPU"].filter(Boolean).join(", "),
    ],
    ["Confidence from", entry.min_confidence.toFixed(2)],
    ["Version", [entry.version, entry.size].filter(Boolean).join(", ")],
    [
      "Measured here",
      scores.map(([name, value]) => `${name.replaceAll("_", " ")} ${value.toFixed(3)}`).join(", "),
    ],
  ];
  return <Facts rows={rows} />;
}

/** An address as a link; words as they are. */
function Source({ text }: { text: string }) {
  const address = /https?:\/\/[^\s,;()]+/.exec(text)?.[0];
  if (!address) return <>{text}</>;
  const [before, after] = text.split(address, 2);
  return (
    <>
      {before}
      <a href={address} target="_blank" rel="noreferrer">
        {address.replace(/^https?:\/\//, "")}
      </a>
      {after}
    </>
  );
}

function Classes({ names }: { names: readonly string[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? names : names.slice(0, SHOWN);
  return (
    <div>
      <h4>{many(names.length, "class", "classes")}</h4>
      <div className={styles.chips} data-all={all || undefined}>
        {shown.map((name) => (
          <span key={name} className="cs-truncate" title={name}>
            {name}
          </span>
        ))}
        {names.length > SHOWN && (
          <button type="button" onClick={() => setAll(!all)}>
            {all ? "fewer" : `and ${count(names.length - SHOWN)} more`}
          </button>
        )}
      </div>
    </div>
  );
}

function Manage({ entry }: { entry: CatalogueEntry }) {
  const client = useQueryClient();
  const { installed } = entry;
  if (!installed || (installed.where !== "models folder" && installed.where !== "linked")) return null;
  const linked = installed.where === "linked";
  const remove = async () => {
    const yes = await confirm({
      title: `Remove ${entry.name}?`,
      body: linked
        ? "It is no longer listed. Its files stay where they are."
        : `${bytes(installed.bytes)} are deleted from ${installed.folder}. Labels that it made stay.`,
      action: "Remove",
      danger: true,
    });
    if (!yes) return;
    try {
      await api.delete(`/catalogue/models/${encodeURIComponent(entry.name)}`);
      await client.invalidateQueries({ queryKey: keys.catalogue });
      notifyDone(`${entry.name} is removed.`);
    } catch (error) {
      notifyError(`${entry.name} was not removed`, error);
    }
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`More for ${entry.name}`}>
          <Ellipsis size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item color="red" leftSection={<Trash2 size={14} />} onClick={() => void remove()}>
          Remove its files …
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
