/** Unions that the schema spells out at each place. */
import type { Label } from "./generated";

export type Geometry = NonNullable<Label["geometry"]>;
export type LabelState = Label["state"];
