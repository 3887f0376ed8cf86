/** Fetches and decodes pictures away from the main thread, and makes the smaller ones that a zoomed out view draws. */
interface Job {
  id: number;
  url: string;
}

const cancelled = new Set<number>();

self.onmessage = async (event: MessageEvent<Job | { cancel: number }>) => {
  if ("cancel" in event.data) {
    cancelled.add(event.data.cancel);
    return;
  }
  const { id, url } = event.data;
  try {
    const answer = await fetch(url, { credentials: "same-origin" });
    if (!answer.ok) {
      const told = (await answer.json().catch(() => null)) as { detail?: string; remedy?: string } | null;
      const what = told?.detail ?? `The server answered ${answer.status} for the picture.`;
      self.postMessage({ id, error: what, remedy: told?.remedy ?? "" });
      return;
    }
    const blob = await answer.blob();
    if (cancelled.delete(id)) return;
    const full = await createImageBitmap(blob);
    const { width, height } = full;
    const levels = await smaller(full);
    self.postMessage({ id, width, height, levels: [full, ...levels] }, { transfer: [full, ...levels] });
  } catch (error) {
    const lost = error instanceof TypeError;
    self.postMessage({
      id,
      lost,
      error: lost ? "The server does not answer." : "The picture cannot be shown by this browser.",
      remedy: lost
        ? "It is tried again when the server is back."
        : "Convert the file to JPEG or PNG, or look at it for damage.",
    });
  }
};

/** Half, quarter ... until it is no larger than a small screen: together a third more memory. */
async function smaller(full: ImageBitmap): Promise<ImageBitmap[]> {
  const levels: ImageBitmap[] = [];
  let last = full;
  while (last.width > 1200 || last.height > 1200) {
    const size = { resizeWidth: Math.ceil(last.width / 2), resizeHeight: Math.ceil(last.height / 2) };
    last = await createImageBitmap(last, { ...size, resizeQuality: "medium" });
    levels.push(last);
  }
  return levels;
}
