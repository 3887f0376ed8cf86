import { Modal } from "@mantine/core";
import { KeyHint } from "~/ui/KeyHint";
import classes from "./sheet.module.css";
import { useSheet } from "./sheet-store";
import { catalogue } from "./shortcut-catalogue";
import { activeScopes, type Scope, type ShortcutInfo } from "./shortcuts";

/** Every shortcut there is, those of this screen first. */
export function ShortcutSheet() {
  const { open } = useSheet();
  const active = activeScopes();
  const rank = (scope: Scope) => (scope.title === "Everywhere" ? 1 : active.has(scope.title) ? 0 : 2);
  const scopes = [...catalogue].sort((a, b) => rank(a) - rank(b));
  return (
    <Modal
      opened={open}
      onClose={() => useSheet.setState({ open: false })}
      title="Keyboard and mouse"
      size={880}
      centered={false}
      yOffset="8vh"
    >
      <div className={classes.sheet}>
        {scopes.map((scope) => (
          <section key={scope.title} className={classes.scope}>
            <h3>
              {scope.title}
              {rank(scope) === 0 && <span>this screen</span>}
            </h3>
            <dl className={classes.rows}>
              {Object.entries(scope.shortcuts).map(([id, info]) => (
                <Row key={id} info={info} />
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}

function Row({ info }: { info: ShortcutInfo }) {
  return (
    <div className={classes.row}>
      <dt>{info.label}</dt>
      <dd>
        {info.shown ? (
          <span className={classes.shown}>{info.shown}</span>
        ) : (
          info.keys.map((keys) => <KeyHint key={keys} keys={keys} />)
        )}
      </dd>
    </div>
  );
}
