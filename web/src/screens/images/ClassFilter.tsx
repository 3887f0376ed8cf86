import { TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { useMemo, useState } from "react";
import { ClassDot } from "~/ui/ClassChip";
import { colorOf } from "~/ui/colors";
import { many } from "~/ui/format";
import { Facet, flip, Section, withChosen } from "./Facet";
import classes from "./images.module.css";

/** So many are listed before somebody asks for all of them; from as many on there is a field to find one by. */
const LISTED = 12;
const names = new Intl.Collator("en", { numeric: true });

interface Props {
  classes: readonly { name: string; count: number }[];
  chosen: readonly string[];
  colors: ReadonlyMap<string, string>;
  onChange: (chosen: string[]) => void;
}

/** The classes of a field. Of many those with the most labels come first, and the rest by asking or by typing. */
export function ClassFilter({ classes: known, chosen, colors, onChange }: Props) {
  const [find, setFind] = useState("");
  const [all, setAll] = useState(false);
  const lots = known.length > LISTED;
  const sorted = useMemo(() => inOrder(withChosen(known, chosen), lots), [known, chosen, lots]);
  const wanted = find.trim().toLowerCase();
  const found = wanted ? sorted.filter((each) => each.name.toLowerCase().includes(wanted)) : sorted;
  const listed = all || wanted ? found : found.filter((each, i) => i < LISTED || chosen.includes(each.name));
  return (
    <Section title="Class" counts="labels" onClear={chosen.length ? () => onChange([]) : undefined}>
      {lots && (
        <TextInput
          className={classes.findClass}
          aria-label="Find a class"
          placeholder={`Find one of ${known.length} …`}
          leftSection={<Search size={14} />}
          value={find}
          onChange={(event) => setFind(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setFind("");
            const only = found.length === 1 ? found[0] : undefined;
            if (event.key === "Enter" && only) onChange(flip(chosen, only.name));
          }}
        />
      )}
      {listed.map((each) => (
        <Facet
          key={each.name}
          name={each.name}
          icon={<ClassDot color={colorOf(each.name, colors)} />}
          count={each.count}
          checked={chosen.includes(each.name)}
          onClick={() => onChange(flip(chosen, each.name))}
        />
      ))}
      {wanted && listed.length === 0 && <p className={classes.hint}>No class is called “{find.trim()}”.</p>}
      {lots && !wanted && (
        <button type="button" className={classes.showAll} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show ${many(found.length - listed.length, "more class", "more classes")}`}
        </button>
      )}
    </Section>
  );
}

function inOrder(items: readonly { name: string; count: number }[], byCount: boolean) {
  return [...items].sort((a, b) => (byCount ? b.count - a.count : 0) || names.compare(a.name, b.name));
}
