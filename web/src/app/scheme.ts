/** Dark, light or the system's: remembered in this browser under the key that `public/theme.js` reads. */
import { localStorageColorSchemeManager } from "@mantine/core";

export const schemeManager = localStorageColorSchemeManager({ key: "countersign.scheme" });
