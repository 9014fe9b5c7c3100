import { expect, test } from 'vitest'

import { claimClientId, clientIdOf } from './clientId'

function storage(values = new Map<string, string>()) {
  return {
    values,
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  }
}

/** Locks of a browser, of which a name's second request waits until it is aborted. */
function fakeLocks(): Pick<LockManager, 'request'> {
  const held = new Set<string>()
  const request = async (
    name: string,
    { signal }: { signal: AbortSignal },
    hold: () => Promise<void>,
  ) => {
    if (held.has(name)) {
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      })
    }
    held.add(name)
    await hold()
    held.delete(name)
  }
  return { request: request as LockManager['request'] }
}

test('a tab keeps its name, and tabs have different ones', () => {
  const tab = storage()
  expect(clientIdOf(tab)).toMatch(/^[0-9a-f]{32}$/)
  expect(clientIdOf(tab)).toBe(clientIdOf(tab))
  expect(clientIdOf(storage())).not.toBe(clientIdOf(tab))
})

test('a duplicated tab gets a name of its own, and the first one keeps its', async () => {
  const locks = fakeLocks()
  const tab = storage()
  const first = await claimClientId(tab, locks)
  const copy = storage(new Map(tab.values))
  const second = await claimClientId(copy, locks)
  expect(second.clientId).not.toBe(first.clientId)
  expect(clientIdOf(tab)).toBe(first.clientId)
  expect(clientIdOf(copy)).toBe(second.clientId)
})

test('a reloaded tab takes its name again', async () => {
  const locks = fakeLocks()
  const tab = storage()
  const before = await claimClientId(tab, locks)
  before.release()
  await Promise.resolve()
  expect((await claimClientId(tab, locks)).clientId).toBe(before.clientId)
})

test('without locks the name is taken as it is', async () => {
  const tab = storage()
  expect((await claimClientId(tab, undefined)).clientId).toBe(clientIdOf(tab))
})
