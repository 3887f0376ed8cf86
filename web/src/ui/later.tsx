import { type ComponentType, lazy, Suspense, useState } from "react";

/**
 * A part of a screen that is loaded when it is first wanted, and stays from then on (a dialog that closes has its last
 * movement). Nothing stands in its place while it loads, or a gap of `height` pixels.
 */
export function later<P extends object>(
  load: () => Promise<ComponentType<P>>,
  wanted: (props: P) => boolean = () => true,
  height = 0,
): ComponentType<P> {
  const Part = lazy(async () => ({ default: await load() }));
  return function Later(props: P) {
    const [was, setWas] = useState(false);
    const now = wanted(props);
    if (now && !was) setWas(true);
    if (!was && !now) return null;
    return (
      <Suspense fallback={height ? <div style={{ height }} aria-busy="true" /> : null}>
        <Part {...props} />
      </Suspense>
    );
  };
}
