/**
 * packages: peers are loaded when they are needed, and described here by the few calls that the bench makes: so it
 * compiles and runs without those that are not installed.
 */

export async function loadPackage<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}

/** Why the package `name` can't be used; undefined: it can. */
export async function lackingPackage(name: string): Promise<string | undefined> {
  try {
    await import(name);
    return undefined;
  } catch (error) {
    return notInstalled(name, error);
  }
}

export function notInstalled(name: string, error: unknown): string {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  if (isMissing) return `${name} is not installed`;
  const why = String(error instanceof Error ? error.message : error).replace(/\s+/g, ' ');
  return `${name} does not load: ${why}`;
}
