/** The models of the workspace (trained here, imported, files of one's own) and the catalogue of all others. */
import { Button, FileButton, Menu, SegmentedControl, TextInput } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import {
  BrainCircuit,
  ChevronDown,
  FilePlus2,
  FolderInput,
  Library,
  Link2,
  Plus,
  Search,
  Upload,
} from "lucide-react";
import { useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { ApiError, api, keys, type Model, useModels, useSession } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { paths as addresses } from "~/app/routes";
import { CardPanel } from "~/models/CardPanel";
import { NO_FILTER, namedFamilies, passes } from "~/models/catalogue";
import { useCatalogue } from "~/models/queries";
import { remoteEntry, useRemoteModels } from "~/models/remote";
import { useFileDrop } from "~/transfer/useFileDrop";
import { EmptyState, ErrorState } from "~/ui";
import { CatalogueView } from "./CatalogueView";
import { FamilyCard } from "./FamilyCard";
import { form, ImportDialog } from "./ImportDialog";
import { ModelCard } from "./ModelCard";
import classes from "./models.module.css";
import { OwnDialog } from "./OwnDialog";
import { RemoteCard } from "./RemoteCard";
import { RemoteDialog } from "./RemoteDialog";
import { fits } from "./shown";

export default function ModelsScreen() {
  const client = useQueryClient();
  const { data, error, refetch } = useModels();
  const paths = useSession().data?.paths_allowed ?? false;
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [importing, setImporting] = useState(false);
  const [adding, setAdding] = useState(false);
  const [linking, setLinking] = useState(false);
  const remote = (useRemoteModels().data ?? []).filter((each) =>
    passes(remoteEntry(each), { ...NO_FILTER, text }),
  );
  const [, go] = useLocation();
  const inCatalogue = new URLSearchParams(useSearch()).get("view") === "catalogue";
  const look = (view: string) => go(`${addresses.models()}${view === "catalogue" ? "?view=catalogue" : ""}`);
  const catalogue = useCatalogue().data?.items ?? [];
  const own = catalogue.filter((entry) => entry.origin === "own");
  const again = useRef<() => void>(null); // else the same file could not be chosen twice
  const [taken, setTaken] = useState<File | null>(null);
  useDocumentTitle("Models · Countersign");

  const upload = async (file: File | null | undefined) => {
    if (!file || busy) return;
    setBusy(true);
    try {
      const model = await api.post<Model>("/models/upload", { body: form(file) });
      await client.invalidateQueries({ queryKey: keys.models });
      notifyDone(`The model ${model.name} is here.`);
    } catch (failure) {
      if (failure instanceof ApiError && failure.kind === "NameTaken") setTaken(file);
      else notifyError(`${file.name} could not be imported`, failure);
    } finally {
      again.current?.();
      setBusy(false);
    }
  };
  const { over, handlers } = useFileDrop((files) => void upload(files[0]?.file));
  const buttons = (
    <FileButton onChange={(file) => void upload(file)} resetRef={again}>
      {({ onClick }) => (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button loading={busy} leftSection={<Plus size={14} />} rightSection={<ChevronDown size={14} />}>
              Add a model
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<FilePlus2 size={14} />} onClick={() => setAdding(true)}>
              Weights of your own (ONNX, checkpoints) …
            </Menu.Item>
            <Menu.Item leftSection={<Link2 size={14} />} onClick={() => setLinking(true)}>
              A model by URL …
            </Menu.Item>
            <Menu.Divider />
            <Menu.Label>Exported from a workbench</Menu.Label>
            <Menu.Item leftSection={<Upload size={14} />} onClick={onClick}>
              Import a file …
            </Menu.Item>
            {paths && (
              <Menu.Item leftSection={<FolderInput size={14} />} onClick={() => setImporting(true)}>
                Import from a path …
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
    </FileButton>
  );
  const models = data?.items.toReversed() ?? [];
  const families = namedFamilies(data?.families ?? [], catalogue);
  const found = models.filter((model) => fits(model, text.trim()));
  const shown = own.filter((entry) => passes(entry, { ...NO_FILTER, text }));
  return (
    <section className={classes.screen} aria-label="Models" data-over={over || undefined} {...handlers}>
      <div className={classes.page} data-catalogue={inCatalogue || undefined}>
        <header className={classes.head}>
          <h1>Models</h1>
          <SegmentedControl
            aria-label="Which models"
            data={[
              { value: "yours", label: "Yours" },
              { value: "catalogue", label: "Catalogue" },
            ]}
            value={inCatalogue ? "catalogue" : "yours"}
            onChange={look}
          />
          <span className={classes.gap} />
          {!inCatalogue && models.length > 5 && (
            <TextInput
              aria-label="Find a model"
              placeholder="Name, task or class"
              leftSection={<Search size={14} />}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          )}
          {buttons}
        </header>
        {inCatalogue && <CatalogueView />}
        {!inCatalogue && (
          <>
            {data && models.length === 0 && own.length + remote.length === 0 && (
              <EmptyState
                icon={<BrainCircuit size={28} />}
                title="No model has been trained or imported yet"
                actions={
                  <Button leftSection={<Library size={14} />} onClick={() => look("catalogue")}>
                    Look into the catalogue
                  </Button>
                }
              >
                Label a few images, then train in the learning panel of the editor. Or drop the file of a
                model that was exported elsewhere on this page.
              </EmptyState>
            )}
            <div className={classes.grid}>
              {found.map((model) => (
                <ModelCard key={model.id} model={model} />
              ))}
              {remote.map((each) => (
                <RemoteCard key={each.name} model={each} />
              ))}
              {shown.map((entry) => (
                <div key={entry.name} className={classes.card}>
                  <CardPanel entry={entry} manage />
                </div>
              ))}
              {!data &&
                !error &&
                [1, 2, 3, 4].map((each) => <div key={each} className={classes.skeleton} aria-hidden />)}
            </div>
            {models.length > 0 && found.length + shown.length + remote.length === 0 && (
              <EmptyState title={`No model fits “${text}”`}>Try fewer letters.</EmptyState>
            )}
            {error && !data && (
              <ErrorState title="The models could not be loaded" error={error} retry={() => void refetch()} />
            )}
            {families.length > 0 && (
              <>
                <h2 className={classes.section}>Any other, by its name</h2>
                <div className={classes.grid}>
                  {families.map((family) => (
                    <FamilyCard key={family} family={family} />
                  ))}
                </div>
              </>
            )}
          </>
        )}
      </div>
      {over && <div className={classes.drop}>Drop the file of a model to import it</div>}
      {linking && <RemoteDialog onClose={() => setLinking(false)} />}
      {adding && <OwnDialog onClose={() => setAdding(false)} />}
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
      {taken && <ImportDialog file={taken} onClose={() => setTaken(null)} />}
    </section>
  );
}
