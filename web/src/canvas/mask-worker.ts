/** Colours masks away from the main thread: runs in, a picture of the painted part out. */
import { colourMask, type MaskJob } from "./mask-colour";

self.onmessage = async (event: MessageEvent<MaskJob & { id: number }>) => {
  const { id, ...job } = event.data;
  try {
    const made = colourMask(job);
    if (!made) return self.postMessage({ id, picture: null });
    const bitmap = await createImageBitmap(new ImageData(made.pixels, made.columns, made.rows));
    const { x, y, width, height } = made;
    self.postMessage({ id, picture: { bitmap, x, y, width, height } }, { transfer: [bitmap] });
  } catch {
    self.postMessage({ id, picture: null }); // damaged runs: the editor has said so where it read them
  }
};
