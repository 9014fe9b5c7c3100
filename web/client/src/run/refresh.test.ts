import { expect, test } from 'vitest'

import { coalesced } from './refresh'

test('calls during a run lead to one more run', async () => {
  const ends: (() => void)[] = []
  const refresh = coalesced(() => new Promise((resolve) => ends.push(resolve)))
  refresh()
  refresh()
  refresh()
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await Promise.resolve().then(() => Promise.resolve())
  await Promise.resolve()
  expect(ends).toHaveLength(2)
  ends[1]?.()
  await Promise.resolve().then(() => Promise.resolve())
  await Promise.resolve()
  expect(ends).toHaveLength(2)
})
