/** listing: one look at a log directory that is opened for it, believed only when a second one finds the same. */
import { believed } from '../read/look.js';
import { openDirectory } from '../storage/open-directory.js';
import type { Storage } from '../storage/storage.js';

/** `what` is done, for errors: "Listing the segments". Throws InvalidArgumentError, IoError, and what `list` does. */
export async function listing<T>(
  path: string,
  what: string,
  list: (storage: Storage) => Promise<T>,
): Promise<T> {
  const storage = await openDirectory(path);
  try {
    return await believed(what, () => list(storage));
  } finally {
    await storage.close();
  }
}
