import { expect, test } from 'vitest'

import { recallDraft } from './draft'

const holding = (name: string | null) => ({
  getItem: () =>
    name === null
      ? null
      : JSON.stringify({ name, workflow: { nodes: [], links: [], version: 0.4 } }),
})
const broken = { getItem: () => '{"name": "x", "workfl' }

test('a tab comes back with its own draft, whatever another tab has drawn since', () => {
  expect(recallDraft([holding('mine'), holding('of the other tab')])?.name).toBe('mine')
})

test('a new tab begins with the last draft there is', () => {
  expect(recallDraft([holding(null), holding('last')])?.name).toBe('last')
  expect(recallDraft([broken, holding('last')])?.name).toBe('last')
  expect(recallDraft([holding(null), broken])).toBeNull()
})
