import { expect, test } from 'vitest'

import type { JsonObject } from '../types'
import { compositeOf } from './composite'
import { EMPTY_WORKFLOW } from './document'

const inside = [
  { id: 1, type: 'KSampler' },
  { id: 2, type: 'VAEDecode' },
] as const
const rest: JsonObject = {
  definitions: { subgraphs: [{ id: 'b7-uuid', name: 'Upscale', nodes: inside }] },
  extra: { groupNodes: { 'My sampler': { nodes: inside, links: [] } } },
}
const workflow = { ...EMPTY_WORKFLOW, rest }

test('a node whose type is the id of a subgraph stands for its nodes', () => {
  expect(compositeOf('b7-uuid', workflow)).toEqual({ name: 'Upscale', count: 2 })
})

test('a group node of an old file goes by the name of its group, in both spellings', () => {
  expect(compositeOf('workflow/My sampler', workflow)).toEqual({ name: 'My sampler', count: 2 })
  expect(compositeOf('workflow>My sampler', workflow)).toEqual({ name: 'My sampler', count: 2 })
})

test('any other type is for the server to know, also with a name that looks like a group', () => {
  expect(compositeOf('KSampler', workflow)).toBeNull()
  expect(compositeOf('workflow/Other', workflow)).toBeNull()
  expect(compositeOf('My sampler', workflow)).toBeNull()
})
