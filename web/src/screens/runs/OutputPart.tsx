import { Input, NumberInput, SegmentedControl, Slider, TextInput } from "@mantine/core";
import { Check } from "lucide-react";
import { useSession } from "~/api";
import { Disclose } from "~/ui/Disclose";
import type { useFieldName } from "./field-name";
import { hasMasks, type Plan } from "./plan";
import classes from "./runs.module.css";

interface Props {
  plan: Plan;
  set: (part: Partial<Plan>) => void;
  /** What the card recommends. */
  recommended: number | undefined;
  field: ReturnType<typeof useFieldName>;
  name: string;
  setName: (name: string) => void;
  workers: number;
  setWorkers: (workers: number) => void;
}

/** Where the labels go, and how sure the model must be; below it what most runs need not say. */
export function OutputPart(props: Props) {
  const { plan, set, field } = props;
  const confidence = plan.confidence ?? props.recommended ?? 0.3;
  const choose = (value: number) => set({ confidence: value });
  return (
    <>
      <div className={classes.two}>
        <TextInput
          label="Label field"
          description="Always a new one."
          inputWrapperOrder={["label", field.problem ? "error" : "description", "input"]}
          value={field.name}
          maxLength={64}
          onChange={(event) => field.set(event.currentTarget.value)}
          error={field.problem || undefined}
          rightSection={
            field.free ? <Check size={14} color="var(--cs-verified)" aria-label="free" /> : undefined
          }
        />
        <Input.Wrapper
          size="xs"
          label="Lowest confidence"
          description={
            props.recommended === undefined
              ? "The card recommends one."
              : plan.confidence === null || plan.confidence === props.recommended
                ? "As the model's card recommends."
                : `The card recommends ${props.recommended.toFixed(2)}.`
          }
          labelElement="div"
        >
          <div className={classes.sliderRow}>
            <Slider
              min={0}
              max={1}
              step={0.01}
              label={null}
              value={confidence}
              onChange={choose}
              thumbLabel="Lowest confidence"
            />
            <NumberInput
              aria-label="Lowest confidence"
              min={0}
              max={1}
              step={0.05}
              decimalScale={2}
              fixedDecimalScale
              clampBehavior="strict"
              hideControls
              w={64}
              value={confidence}
              onChange={(next) => next !== "" && Number.isFinite(Number(next)) && choose(Number(next))}
            />
          </div>
        </Input.Wrapper>
      </div>
      <Disclose
        label={hasMasks(plan.task) ? "Where masks go, name, workers" : "Name, workers"}
        open={plan.inFolder}
      >
        <More {...props} />
      </Disclose>
    </>
  );
}

function More({ plan, set, field, name, setName, workers, setWorkers }: Props) {
  const session = useSession().data;
  const cores = session?.cores ?? 1;
  return (
    <div className={classes.form}>
      {hasMasks(plan.task) && (
        <Input.Wrapper
          size="xs"
          label="Masks"
          labelElement="div"
          description={
            session?.paths_allowed
              ? "As PNG files, the label refers to its file: a folder of the server, or an address such as s3://…"
              : "Files are not possible: this server allows no paths."
          }
        >
          <div className={classes.maskRow}>
            <SegmentedControl
              aria-label="Where masks go"
              data={[
                { value: "database", label: "In the database" },
                { value: "folder", label: "PNG files" },
              ]}
              value={plan.inFolder ? "folder" : "database"}
              disabled={!session?.paths_allowed}
              onChange={(where) => set({ inFolder: where === "folder" })}
            />
            {plan.inFolder && (
              <TextInput
                aria-label="Folder for the masks"
                placeholder="/data/masks or s3://bucket/masks"
                value={plan.folder}
                onChange={(event) => set({ folder: event.currentTarget.value })}
              />
            )}
          </div>
        </Input.Wrapper>
      )}
      <div className={classes.two}>
        <TextInput
          label="Name of the run"
          description="How it is listed."
          placeholder={field.name}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NumberInput
          label="Workers"
          description="Processes that predict beside each other."
          min={1}
          max={Math.max(1, cores)}
          clampBehavior="strict"
          allowDecimal={false}
          value={workers}
          onChange={(next) => typeof next === "number" && next >= 1 && setWorkers(next)}
        />
      </div>
    </div>
  );
}
