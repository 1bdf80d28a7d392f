/**
 * Texts that this browser keeps under a name. Small ones are where they can be read at once; what
 * is too large for that is in the browser's database.
 *
 * Where the browser refuses to keep anything (a frame of another site, a private window), nothing
 * is kept, and `keep` says so.
 */

/** A text that is read at once, one that has to be fetched, or none. */
export type Kept = { kind: "text"; text: string } | { kind: "large" } | { kind: "nothing" };

/** Replaces a text that is in the database: no JSON begins so. */
const LARGE = "large";

/** Keeps a text. Says whether it is kept. */
export async function keep(name: string, text: string): Promise<boolean> {
  const was = read(name);
  if (write(name, text)) {
    if (was === LARGE) await erase(name);
    return true;
  }
  const isLarge = await store(name, text);
  // An earlier text would otherwise be read instead of this one.
  if (isLarge) write(name, LARGE);
  else drop(name);
  return isLarge;
}

export function recall(name: string): Kept {
  const text = read(name);
  if (text === null) return { kind: "nothing" };
  return text === LARGE ? { kind: "large" } : { kind: "text", text };
}

/** A text that `recall` said is large. */
export async function fetchLarge(name: string): Promise<string | null> {
  const found = await inDatabase<unknown>("readonly", (texts) => texts.get(name));
  return typeof found?.value === "string" ? found.value : null;
}

export async function forget(name: string): Promise<void> {
  drop(name);
  await erase(name);
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, text: string): boolean {
  try {
    localStorage.setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

function drop(name: string): void {
  try {
    localStorage.removeItem(name);
  } catch {
    // Nothing was kept.
  }
}

async function store(name: string, text: string): Promise<boolean> {
  return (await inDatabase("readwrite", (texts) => texts.put(text, name))) !== null;
}

async function erase(name: string): Promise<void> {
  await inDatabase("readwrite", (texts) => texts.delete(name));
}

const DATABASE = "scopegate";
const TEXTS = "texts";

/** Asks the database; null when there is none, or it refuses. */
async function inDatabase<T>(
  mode: IDBTransactionMode,
  ask: (texts: IDBObjectStore) => IDBRequest<T>,
): Promise<{ value: T } | null> {
  try {
    const opening = indexedDB.open(DATABASE);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TEXTS);
    const database = await done(opening);
    const value = await done(ask(database.transaction(TEXTS, mode).objectStore(TEXTS)));
    database.close();
    return { value };
  } catch {
    return null;
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
