import { Menu } from "@mantine/core";
import {
  BringToFront,
  Check,
  Copy,
  Eye,
  EyeOff,
  Lock,
  LockOpen,
  Maximize,
  SendToBack,
  Tag,
  Trash2,
  WandSparkles,
  X,
} from "lucide-react";
import { KeyHint } from "~/ui/KeyHint";
import { useEditor } from "./context";
import classes from "./editor.module.css";
import { masksFromBoxes } from "./smart/commands";
import { setUi, useUi } from "./ui";

/** What can be done with the shape (or the place) that was clicked with the right button. */
export function ShapeMenu() {
  const { controller, readOnly } = useEditor();
  const menu = useUi((ui) => ui.menu);
  const hidden = useUi((ui) => ui.hidden);
  const locked = useUi((ui) => ui.locked);
  const selection = useUi((ui) => ui.selection);
  if (!menu) return null;
  const { key, at } = menu;
  const prediction = key === null ? undefined : controller.predictions.at(key);
  const close = () => setUi({ menu: null });
  return (
    <Menu
      opened
      onClose={close}
      position="bottom-start"
      offset={0}
      width={220}
      transitionProps={{ duration: 0 }}
    >
      <Menu.Target>
        <span className={classes.menuAnchor} style={{ left: at.x, top: at.y }} />
      </Menu.Target>
      <Menu.Dropdown>
        {prediction && (
          <>
            <Menu.Item
              leftSection={<Check size={14} />}
              disabled={readOnly}
              onClick={() => controller.predictions.accept([prediction])}
            >
              Accept this prediction
            </Menu.Item>
            <Menu.Item
              leftSection={<X size={14} />}
              onClick={() => controller.predictions.dismiss([prediction])}
            >
              Dismiss it
            </Menu.Item>
          </>
        )}
        {key !== null && !prediction && (
          <>
            <Menu.Item
              leftSection={<Tag size={14} />}
              rightSection={<KeyHint keys="c" />}
              disabled={readOnly}
              onClick={() => setUi({ menu: null, picker: { at, geometry: null } })}
            >
              Class …
            </Menu.Item>
            <Menu.Item
              leftSection={<Copy size={14} />}
              rightSection={<KeyHint keys="mod+d" />}
              disabled={readOnly}
              onClick={() => controller.edits.duplicate()}
            >
              Duplicate
            </Menu.Item>
            <Menu.Item
              leftSection={<BringToFront size={14} />}
              rightSection={<KeyHint keys="mod+]" />}
              disabled={readOnly}
              onClick={() => controller.edits.order("front")}
            >
              To the front
            </Menu.Item>
            <Menu.Item
              leftSection={<SendToBack size={14} />}
              rightSection={<KeyHint keys="mod+[" />}
              disabled={readOnly}
              onClick={() => controller.edits.order("back")}
            >
              To the back
            </Menu.Item>
            {controller.document?.store.get(key)?.geometry?.type === "box" && (
              <Menu.Item
                leftSection={<WandSparkles size={14} />}
                rightSection={<KeyHint keys="shift+s" />}
                disabled={readOnly}
                onClick={() => masksFromBoxes(controller)}
              >
                Mask from the box
              </Menu.Item>
            )}
            <Menu.Divider />
            <Menu.Item
              leftSection={hidden.has(key) ? <Eye size={14} /> : <EyeOff size={14} />}
              rightSection={<KeyHint keys="h" />}
              onClick={() => controller.edits.toggleHidden(selection)}
            >
              {hidden.has(key) ? "Show" : "Hide"}
            </Menu.Item>
            <Menu.Item
              leftSection={locked.has(key) ? <LockOpen size={14} /> : <Lock size={14} />}
              rightSection={<KeyHint keys="l" />}
              onClick={() => controller.edits.toggleLocked(selection)}
            >
              {locked.has(key) ? "Unlock" : "Lock"}
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item
              leftSection={<Trash2 size={14} />}
              rightSection={<KeyHint keys="delete" />}
              color="red"
              disabled={readOnly}
              onClick={() => controller.edits.removeKeys(selection)}
            >
              Delete
            </Menu.Item>
          </>
        )}
        {key === null && (
          <>
            <Menu.Item
              leftSection={<Maximize size={14} />}
              rightSection={<KeyHint keys="f" />}
              onClick={() => controller.engine?.fit()}
            >
              Fit the image
            </Menu.Item>
            <Menu.Item
              rightSection={<KeyHint keys="shift+f" />}
              onClick={() => controller.engine?.actualSize()}
            >
              One pixel to one pixel
            </Menu.Item>
            <Menu.Item rightSection={<KeyHint keys="mod+a" />} onClick={() => controller.edits.selectAll()}>
              Select all labels
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
