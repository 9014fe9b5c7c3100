/**
 * This tab's name at the server, which sends what a job tells to the tab that queued it. The name
 * is kept over a reload, so that a running job finds its tab again.
 */

const KEY = 'weft.clientId'

/** A page that is being left lets go of its name within this time. */
const PATIENCE_MS = 400

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

export interface Claim {
  readonly clientId: string
  readonly release: () => void
}

export function clientIdOf(storage: Store): string {
  const stored = storage.getItem(KEY)
  if (stored !== null) return stored
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  storage.setItem(KEY, made)
  return made
}

/** Forget the name: somebody else has it. */
export function renounceClientId(storage: Store): void {
  storage.removeItem(KEY)
}

/**
 * Take the name for this tab alone. A duplicated tab has a copy of the storage and would take the
 * first one's place at the server: it gets a name of its own instead. Pages that browsers do not
 * trust have no locks and claim nothing.
 */
export async function claimClientId(
  storage: Store,
  locks: Pick<LockManager, 'request'> | undefined,
): Promise<Claim> {
  const clientId = clientIdOf(storage)
  if (locks === undefined) return { clientId, release: () => undefined }
  const release = await lock(`weft.client.${clientId}`, locks)
  if (release !== null) return { clientId, release }
  renounceClientId(storage)
  return claimClientId(storage, locks)
}

/** How to let go of the lock, or null if another page keeps it. */
function lock(name: string, locks: Pick<LockManager, 'request'>): Promise<(() => void) | null> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const hold = () => new Promise<void>((release) => resolve(release))
    locks.request(name, { signal }, hold).catch(() => resolve(null))
  })
}
