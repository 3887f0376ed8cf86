import { notifications } from "@mantine/notifications";
import { CloudOff } from "lucide-react";
import { useEffect } from "react";
import { useConnection } from "~/api";
import classes from "./shell.module.css";

/** Says that the server is away. What is edited meanwhile is kept and sent later. */
export function OfflineBanner() {
  const online = useConnection((state) => state.online);
  useEffect(() => {
    if (online) notifications.hide("network"); // what it said is over
  }, [online]);
  if (online) return null;
  return (
    <div className={classes.offline} role="status">
      <CloudOff size={14} />
      <span>The server does not answer. Changes to labels are kept here and sent when it is back.</span>
    </div>
  );
}
