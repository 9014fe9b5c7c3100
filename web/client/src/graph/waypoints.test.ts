import { describe, expect, test } from 'vitest'

import type { JsonObject, Workflow } from '../types'
import { moved, withoutLinks } from './actions'
import { copied, pasted, readClipping } from './clipboard'
import { parseWorkflow, serializeWorkflow } from './serial'
import { wayOf } from './waypoints'

const NODES = [
  { id: 1, type: 'A', pos: [0, 0], outputs: [{ name: 'X', type: 'X' }] },
  { id: 2, type: 'B', pos: [400, 0], inputs: [{ name: 'x', type: 'X' }] },
  { id: 3, type: 'B', pos: [400, 200], inputs: [{ name: 'x', type: 'X' }] },
]
const REROUTES = [
  { id: 1, pos: [100, 50], linkIds: [5, 6] },
  { id: 2, parentId: 1, pos: [200, 80], linkIds: [6] },
]

/** One wire through the first point, another through both, as schema 0.4 and 1.0 write it. */
const OLD: JsonObject = {
  nodes: NODES,
  links: [
    [5, 1, 0, 2, 0, 'X'],
    [6, 1, 0, 3, 0, 'X'],
  ],
  extra: {
    reroutes: REROUTES,
    linkExtensions: [
      { id: 5, parentId: 1 },
      { id: 6, parentId: 2 },
    ],
  },
  version: 0.4,
}
const FROM = { origin_id: 1, origin_slot: 0, target_slot: 0, type: 'X' }
const NEW: JsonObject = {
  nodes: NODES,
  links: [
    { id: 5, ...FROM, target_id: 2, parentId: 1 },
    { id: 6, ...FROM, target_id: 3, parentId: 2 },
  ],
  reroutes: REROUTES,
  version: 1,
}

const waysOf = (workflow: Workflow) =>
  workflow.links.map((link) => wayOf(workflow, link).map(({ at }) => [at.x, at.y]))

const WAYS = [
  [[100, 50]],
  [
    [100, 50],
    [200, 80],
  ],
]

describe('waypoints', () => {
  test.each([
    ['0.4', OLD],
    ['1.0', NEW],
  ])('of schema %s lead wires from their sources to their targets', (_name, file) => {
    expect(waysOf(parseWorkflow(file))).toEqual(WAYS)
  })

  test('of a newer file are written as schema 0.4 keeps them', () => {
    expect(serializeWorkflow(parseWorkflow(NEW)).extra).toEqual(OLD.extra)
  })

  test('that name each other in a circle end the way instead of the editor', () => {
    const reroutes = [
      { id: 1, parentId: 2, pos: [1, 1] },
      { id: 2, parentId: 1, pos: [2, 2] },
    ]
    const [way] = waysOf(parseWorkflow({ ...NEW, reroutes }))
    expect(way).toHaveLength(2)
  })

  test('go along with nodes only where both ends of all their wires move', () => {
    const workflow = parseWorkflow(OLD)
    const by = (ids: string[]) =>
      new Map(
        workflow.nodes
          .filter(({ id }) => ids.includes(id))
          .map(({ id, position }) => [id, { x: position.x + 10, y: position.y - 5 }]),
      )
    const [first, second] = moved(workflow, by(['1', '3'])).waypoints
    expect([first?.at, second?.at]).toEqual([
      { x: 100, y: 50 },
      { x: 210, y: 75 },
    ])
    expect(moved(workflow, by(['1'])).waypoints).toEqual(workflow.waypoints)
  })

  test('that no wire passes any more are not written', () => {
    const left = withoutLinks(parseWorkflow(OLD), new Set([6]))
    expect(serializeWorkflow(left).extra).toEqual({
      reroutes: [REROUTES[0] && { ...REROUTES[0], linkIds: [5] }],
      linkExtensions: [{ id: 5, parentId: 1 }],
    })
  })

  test('are copied with their wires, under ids of their own', () => {
    const workflow = parseWorkflow(OLD)
    const part = readClipping(copied(workflow, new Set(['1', '2'])))
    if (!part) throw new Error('nothing copied')
    const { workflow: after } = pasted(workflow, part, { x: 1000, y: 1000 })
    expect(waysOf(after)).toEqual([...WAYS, [[1100, 1050]]])
    expect(new Set(after.waypoints.map(({ id }) => id)).size).toBe(3)
  })
})
