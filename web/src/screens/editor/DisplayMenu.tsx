import { Button, Slider, Switch } from "@mantine/core";
import classes from "./editor.module.css";
import { setUi, useUi } from "./ui";

/** How the picture and the shapes are shown. The files stay as they are. */
export function DisplayMenu() {
  const { brightness, contrast, fill, names } = useUi();
  return (
    <div className={classes.display}>
      <Part
        name="Brightness"
        value={brightness}
        min={0.2}
        max={3}
        plain={1}
        onChange={(value) => setUi({ brightness: value })}
      />
      <Part
        name="Contrast"
        value={contrast}
        min={0.2}
        max={3}
        plain={1}
        onChange={(value) => setUi({ contrast: value })}
      />
      <Part
        name="Fill of shapes"
        value={fill}
        min={0}
        max={0.6}
        plain={0.16}
        onChange={(value) => setUi({ fill: value })}
      />
      <Switch
        label="Names on shapes"
        checked={names}
        onChange={(event) => setUi({ names: event.currentTarget.checked })}
      />
      <Button variant="default" onClick={() => setUi({ brightness: 1, contrast: 1, fill: 0.16 })}>
        As it is
      </Button>
    </div>
  );
}

interface PartProps {
  name: string;
  value: number;
  min: number;
  max: number;
  plain: number;
  onChange: (value: number) => void;
}

function Part({ name, value, min, max, plain, onChange }: PartProps) {
  return (
    <div>
      <div className={classes.field}>
        <span>{name}</span>
        <span className={classes.dim}>{Math.round(100 * value)} %</span>
      </div>
      <Slider
        label={null}
        min={min}
        max={max}
        step={0.02}
        value={value}
        marks={[{ value: plain }]}
        onChange={onChange}
        thumbLabel={name}
      />
    </div>
  );
}
