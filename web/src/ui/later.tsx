import { type ComponentType, useEffect, useState } from "react";

/** How long until a part is tried again that could not be loaded: the server was away, which the page tells by itself. */
const AGAIN_MS = 3000;

/**
 * A part of a screen that is loaded when it is first wanted, and stays from then on (a dialog that closes has its last
 * movement). Nothing stands in its place while it loads, or a gap of `height` pixels. A part that cannot be loaded does
 * not take the screen with it: it is tried again.
 */
export function later<P extends object>(
  load: () => Promise<ComponentType<P>>,
  wanted: (props: P) => boolean = () => true,
  height = 0,
): ComponentType<P> {
  let known: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [Part, setPart] = useState<ComponentType<P> | null>(() => known);
    const [was, setWas] = useState(false);
    const [tries, setTries] = useState(0);
    const now = was || wanted(props);
    if (now && !was) setWas(true);
    // biome-ignore lint/correctness/useExhaustiveDependencies: each try is a try
    useEffect(() => {
      if (!now || Part) return;
      let gone = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      load().then(
        (part) => {
          known = part;
          if (!gone) setPart(() => part);
        },
        () => {
          if (!gone) timer = setTimeout(() => setTries((count) => count + 1), AGAIN_MS);
        },
      );
      return () => {
        gone = true;
        clearTimeout(timer);
      };
    }, [now, Part, tries]);
    if (!now) return null;
    if (Part) return <Part {...props} />;
    return height ? <div style={{ height }} aria-busy="true" /> : null;
  };
}
