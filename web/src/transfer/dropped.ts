/** Files that were dropped or chosen, with their paths below what was dropped. Folders are walked. */

export interface Dropped {
  file: File;
  /** With slashes: `photos/2026/a.jpg`. */
  path: string;
}

const JUNK = /(^|\/)(\.|__MACOSX|Thumbs\.db$|desktop\.ini$)/;

/** Everything that was dropped. Call it in the event: the browser forgets what it holds when the event is over. */
export async function droppedFiles(transfer: DataTransfer): Promise<Dropped[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (entries.every((entry) => entry === null)) return chosenFiles(transfer.files);
  const found: Dropped[] = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return tidy(found);
}

/** Files of an `<input type="file">`, with paths where a folder was chosen. */
export function chosenFiles(files: FileList | readonly File[]): Dropped[] {
  return tidy([...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
}

/** Leave out what no one means (hidden files), and keep one of each path. */
export function tidy(files: readonly Dropped[]): Dropped[] {
  const byPath = new Map<string, Dropped>();
  for (const each of files) if (!JUNK.test(each.path)) byPath.set(each.path, each);
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function walk(entry: FileSystemEntry, found: Dropped[]): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    found.push({ file, path });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a hundred at a time, and none when there are no more.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    for (const each of some) await walk(each, found);
  }
}

/** Parts of about this size travel in one request each: progress moves, and a lost one is soon sent again. */
export function parts(files: readonly Dropped[], mostFiles = 50, mostBytes = 48_000_000): Dropped[][] {
  const found: Dropped[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const each of files) {
    const last = found.at(-1);
    if (!last || last.length >= mostFiles || bytes + each.file.size > mostBytes) {
      found.push([each]);
      bytes = each.file.size;
    } else {
      last.push(each);
      bytes += each.file.size;
    }
  }
  return found;
}
