import { Badge, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, type ModelCard, tell } from "~/api";
import { TASK_NAMES } from "~/models/catalogue";
import { FamilyModelInput, many } from "~/ui";
import classes from "./models.module.css";

const SAID: Record<string, string> = {
  timm: "Image classifiers of the timm library, with ImageNet's classes. A run can take any of them by its name; weights that are not here yet are fetched once.",
};

/** Models that are not in the workspace but can be named: a name shows the card. */
export function FamilyCard({ family }: { family: string }) {
  const [name, setName] = useState("");
  const [asked, setAsked] = useState("");
  const { data, error, isFetching } = useQuery({
    queryKey: ["model-card", asked],
    queryFn: ({ signal }) => api.get<ModelCard>("/models/card", { params: { model: asked }, signal }),
    enabled: asked !== "",
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const look = (event: FormEvent) => {
    event.preventDefault();
    setAsked(`${family}:${name.trim()}`);
  };
  const told = error ? tell(error) : null;
  return (
    <article className={classes.card} aria-label={`Models of ${family}`}>
      <div className={classes.top}>
        <h2>{family}</h2>
      </div>
      <p className={classes.description}>
        {SAID[family] ?? `A run can take its models by name: ${family}:NAME.`}
      </p>
      <form onSubmit={look} className={classes.look}>
        <FamilyModelInput
          family={family}
          ariaLabel={`Name of a ${family} model`}
          value={name}
          onChange={setName}
        />
        <Button type="submit" variant="default" loading={isFetching} disabled={!name.trim()}>
          See its card
        </Button>
      </form>
      <div className={classes.answer} aria-live="polite">
        {told && asked && !isFetching && (
          <span className={classes.problem}>
            {told.what} {told.todo}
          </span>
        )}
        {data && !isFetching && (
          <>
            <div className={classes.badges}>
              {data.tasks.map((task) => (
                <Badge key={task} tt="none" fw={500}>
                  {TASK_NAMES[task] ?? task}
                </Badge>
              ))}
              <span>{many(data.classes.length, "class", "classes")}</span>
              {data.licence && <span>{data.licence}</span>}
            </div>
            <p className={classes.description}>{data.description || data.name}</p>
          </>
        )}
      </div>
    </article>
  );
}
