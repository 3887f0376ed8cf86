import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { ArrowUp, Plus, X } from "lucide-react";
import { useRef } from "react";
import { KINDS, type Step, type When } from "~/models/steps";
import classes from "./remote.module.css";

interface Props {
  label: string;
  when: When;
  steps: readonly Step[];
  onChange: (steps: readonly Step[]) => void;
}

/** Steps in their order: added, taken away, moved up; each with its numbers. */
export function StepList({ label, when, steps, onChange }: Props) {
  const kinds = KINDS[when];
  const keys = useKeys(steps.length);
  const put = (at: number, step: Step) => onChange(steps.map((each, i) => (i === at ? step : each)));
  const raise = (at: number) => {
    keys.swap(at);
    onChange(steps.map((each, i) => (i === at - 1 ? steps[at]! : i === at ? steps[at - 1]! : each)));
  };
  const remove = (at: number) => {
    keys.remove(at);
    onChange(steps.filter((_, i) => i !== at));
  };
  return (
    <fieldset className={classes.steps}>
      <legend>{label}</legend>
      {steps.map((step, at) => {
        const kind = kinds[step.step];
        const name = kind?.label ?? step.step;
        return (
          <div key={keys.all[at]} className={classes.step}>
            <div className={classes.stepTop}>
              <span>{at + 1}</span>
              <strong>{name}</strong>
              <ActionIcon
                size={22}
                aria-label={`${name}: earlier`}
                disabled={at === 0}
                onClick={() => raise(at)}
              >
                <ArrowUp size={14} />
              </ActionIcon>
              <ActionIcon size={22} aria-label={`Take ${name} away`} onClick={() => remove(at)}>
                <X size={14} />
              </ActionIcon>
            </div>
            {kind && <p>{kind.says}</p>}
            {kind && kind.fields.length > 0 && (
              <div className={classes.stepFields}>
                {kind.fields.map((field) => (
                  <TextInput
                    key={field.key}
                    label={field.label}
                    placeholder={field.placeholder}
                    inputMode={field.list ? "text" : "decimal"}
                    value={step.said[field.key] ?? ""}
                    onChange={(event) =>
                      put(at, { ...step, said: { ...step.said, [field.key]: event.currentTarget.value } })
                    }
                  />
                ))}
              </div>
            )}
          </div>
        );
      })}
      <Menu position="bottom-start">
        <Menu.Target>
          <Button
            variant="default"
            size="compact-sm"
            className={classes.add}
            leftSection={<Plus size={13} />}
            aria-label={`Add a step: ${label}`}
          >
            Add a step
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {Object.entries(kinds).map(([step, kind]) => (
            <Menu.Item key={step} onClick={() => onChange([...steps, { step, said: {} }])}>
              {kind.label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </fieldset>
  );
}

/** A key for each step that moves with it, so that the cursor stays in its field. */
function useKeys(count: number) {
  const all = useRef<number[]>([]);
  const next = useRef(0);
  while (all.current.length < count) {
    all.current.push(next.current);
    next.current += 1;
  }
  all.current.length = count;
  return {
    all: all.current,
    swap: (at: number) => {
      const [before, after] = [all.current[at - 1]!, all.current[at]!];
      all.current[at - 1] = after;
      all.current[at] = before;
    },
    remove: (at: number) => all.current.splice(at, 1),
  };
}
