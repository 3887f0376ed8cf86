/** The models of the workspace: trained here or imported, with their cards; and the families that can be named. */
import { Button, FileButton, TextInput } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { BrainCircuit, FolderInput, Search, Upload } from "lucide-react";
import { type DragEvent, useState } from "react";
import { ApiError, api, keys, type Model, useModels, useSession } from "~/api";
import { notifyDone, notifyError } from "~/app/notify";
import { EmptyState, ErrorState } from "~/ui";
import { FamilyCard } from "./FamilyCard";
import { form, ImportDialog } from "./ImportDialog";
import { ModelCard } from "./ModelCard";
import classes from "./models.module.css";
import { fits } from "./shown";

export default function ModelsScreen() {
  const client = useQueryClient();
  const { data, error, refetch } = useModels();
  const paths = useSession().data?.paths_allowed ?? false;
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [importing, setImporting] = useState(false);
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
      setBusy(false);
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void upload(event.dataTransfer.files[0]);
  };
  const drag = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(true);
  };
  const buttons = (
    <>
      {paths && (
        <Button variant="default" leftSection={<FolderInput size={14} />} onClick={() => setImporting(true)}>
          From a path …
        </Button>
      )}
      <FileButton onChange={(file) => void upload(file)}>
        {(props) => (
          <Button {...props} leftSection={<Upload size={14} />} loading={busy}>
            Import a model
          </Button>
        )}
      </FileButton>
    </>
  );
  const models = data?.items.toReversed() ?? [];
  const found = models.filter((model) => fits(model, text.trim()));
  return (
    <section
      className={classes.screen}
      aria-label="Models"
      onDragOver={drag}
      onDragLeave={(event) => event.currentTarget === event.target && setOver(false)}
      onDrop={drop}
      data-over={over || undefined}
    >
      <div className={classes.page}>
        <header className={classes.head}>
          <h1>Models</h1>
          {models.length > 5 && (
            <TextInput
              aria-label="Find a model"
              placeholder="Name, task or class"
              leftSection={<Search size={14} />}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          )}
          {models.length > 0 && buttons}
        </header>
        {data && models.length === 0 && (
          <EmptyState
            icon={<BrainCircuit size={28} />}
            title="No model has been trained or imported yet"
            actions={buttons}
          >
            Label a few images, then train in the learning panel of the editor. Or drop the file of a model
            that was exported elsewhere on this page.
          </EmptyState>
        )}
        <div className={classes.grid}>
          {found.map((model) => (
            <ModelCard key={model.id} model={model} />
          ))}
          {!data &&
            !error &&
            [1, 2, 3, 4].map((each) => <div key={each} className={classes.skeleton} aria-hidden />)}
        </div>
        {models.length > 0 && found.length === 0 && (
          <EmptyState title={`No model fits “${text}”`}>Try fewer letters.</EmptyState>
        )}
        {error && !data && (
          <ErrorState title="The models could not be loaded" error={error} retry={() => void refetch()} />
        )}
        {data && data.families.length > 0 && (
          <>
            <h2 className={classes.section}>Found on this computer</h2>
            <div className={classes.grid}>
              {data.families.map((family) => (
                <FamilyCard key={family} family={family} />
              ))}
            </div>
          </>
        )}
      </div>
      {over && <div className={classes.drop}>Drop the file of a model to import it</div>}
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
      {taken && <ImportDialog file={taken} onClose={() => setTaken(null)} />}
    </section>
  );
}
