import { describe, expect, test } from 'vitest'

import type { JsonObject, Value } from '../types'
import { WorkflowError } from './reading'
import { parseWorkflow, serializeWorkflow } from './serial'

/** As other programs write it, with all sorts of things that this editor knows nothing about. */
const FOREIGN: JsonObject = {
  id: '5a1c7f0e-0000-4000-8000-000000000000',
  revision: 3,
  last_node_id: 12,
  last_link_id: 40,
  nodes: [
    {
      id: 4,
      type: 'Loader',
      pos: [10.5, -20],
      size: [315, 98],
      flags: { pinned: true },
      order: 0,
      mode: 0,
      inputs: [],
      outputs: [
        { name: 'MODEL', type: 'MODEL', links: [7, 9], slot_index: 0, shape: 3 },
        { name: 'CLIP', type: 'CLIP', links: [], localized_name: 'CLIP' },
      ],
      properties: { 'Node name for S&R': 'Loader', cnr_id: 'core', ver: '0.3.64' },
      widgets_values: ['model.safetensors'],
      color: '#232',
      bgcolor: '#353',
    },
    {
      id: '9:2',
      type: 'Odd.Pack/Node',
      pos: [400, 0],
      size: [200, 60],
      flags: { collapsed: true },
      order: 1,
      mode: 4,
      title: 'Mine',
      inputs: [
        { name: 'a', type: 'MODEL', link: 7, shape: 7 },
        { name: 'b', type: 'MODEL', link: 9, widget: { name: 'b' } },
      ],
      outputs: [],
      properties: {},
      widgets_values: { seed: 18446744073709551615n, nested: { list: [1, null] } },
      showAdvanced: true,
    },
  ],
  links: [
    [7, 4, 0, '9:2', 0, 'MODEL'],
    [9, 4, 0, '9:2', 1, 'MODEL'],
  ],
  groups: [
    {
      id: 1,
      title: 'Load',
      bounding: [0, -80, 400, 300],
      color: '#3f789e',
      font_size: 24,
      flags: {},
    },
  ],
  config: { links_ontop: false },
  extra: {
    ds: { scale: 0.8, offset: [10, 20] },
    reroutes: [{ id: 1, pos: [1, 2], linkIds: [7] }],
    linkExtensions: [{ id: 7, parentId: 1 }],
  },
  definitions: { subgraphs: [{ id: 'abc', nodes: [] }] },
  models: [{ name: 'm', url: 'https://example.org' }],
  version: 0.4,
}

describe('a workflow file', () => {
  test('comes out as it went in, with all that the editor does not know', () => {
    expect(serializeWorkflow(parseWorkflow(FOREIGN))).toEqual(FOREIGN)
  })

  test('may write positions and sizes as objects', () => {
    const nodes = [{ id: 1, type: 'A', pos: { '0': 3, '1': 4 }, size: { '0': 5, '1': 6 } }]
    const [node] = parseWorkflow({ nodes, links: [] }).nodes
    expect(node?.position).toEqual({ x: 3, y: 4 })
    expect(node?.size).toEqual({ width: 5, height: 6 })
  })

  test('of schema 1.0 is read as well', () => {
    const links = [
      { id: 2, origin_id: 1, origin_slot: 0, target_id: 2, target_slot: 0, type: 'MODEL' },
    ]
    const nodes: Value = [
      { id: 1, type: 'A', pos: [0, 0], outputs: [{ name: 'MODEL', type: 'MODEL', links: [2] }] },
      { id: 2, type: 'B', pos: [0, 0], inputs: [{ name: 'model', type: 'MODEL', link: 2 }] },
    ]
    const workflow = parseWorkflow({ version: 1, state: { lastNodeId: 8 }, nodes, links })
    expect(workflow.lastNodeId).toBe(8)
    expect(serializeWorkflow(workflow).links).toEqual([[2, 1, 0, 2, 0, 'MODEL']])
  })

  test('with wires that lead nowhere is read without them', () => {
    const nodes = [{ id: 1, type: 'A', pos: [0, 0] }]
    expect(parseWorkflow({ nodes, links: [[1, 1, 0, 5, 0, 'X']] }).links).toEqual([])
  })

  test.each<[string, Value, string]>([
    ['a list', [], 'notAWorkflow'],
    ['some object', { a: 1 }, 'notAWorkflow'],
    ['a graph in API format', { '3': { class_type: 'KSampler', inputs: {} } }, 'apiFormat'],
    ['a node without an id', { nodes: [{ type: 'A' }] }, 'nodeWithoutId'],
    ['a node that is a number', { nodes: [7] }, 'badPart'],
  ])('%s is refused, and the error says why', (_name, value, fault) => {
    const refuse = () => parseWorkflow(value)
    expect(refuse).toThrow(WorkflowError)
    expect(refuse).toThrow(fault)
  })
})
