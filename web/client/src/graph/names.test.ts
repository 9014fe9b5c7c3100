import { expect, test } from 'vitest'

import { parseCatalog } from '../catalog/parse'
import { layOut } from '../files/apiGraph'
import type { ApiGraph } from '../files/format'
import { changed, runOf } from '../run/nodes'
import { IDLE, INITIAL, problemsOf } from '../run/state'
import type { JsonObject } from '../types'
import { parseJson, stringifyJson } from './json'
import { bare, own } from './names'
import { parseWorkflow, serializeWorkflow } from './serial'
import { readValue } from './slots'

const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

test.each(NAMES)('%s is a name like any other', (name) => {
  expect(own({}, name)).toBeUndefined()
  expect(bare()[name]).toBeUndefined()
  const named = parseJson(`{"${name}": 5}`) as JsonObject
  expect(own(named, name)).toBe(5)
  expect(bare({ a: 1 }, named)[name]).toBe(5)
})

test.each(NAMES)('a node type %s is unknown until the server tells it', (name) => {
  const empty = parseCatalog(parseJson('{}'))
  expect(empty[name]).toBeUndefined()
  const known = parseCatalog(parseJson(`{"${name}": {"input": {"required": {}}}}`))
  expect(known[name]?.type).toBe(name)
  expect(Object.keys(known)).toEqual([name])
})

test.each(NAMES)('a workflow whose nodes are of the type %s is read and written', (name) => {
  const node = `{"id": "${name}", "type": "${name}", "inputs": [], "widgets_values": {"${name}": 1}}`
  const text = `{"nodes": [${node}], "links": [], "extra": {"${name}": {"a": 1}}, "${name}": [1]}`
  const workflow = parseWorkflow(parseJson(text))
  const written = parseJson(stringifyJson(serializeWorkflow(workflow))) as JsonObject
  expect(own(written, name)).toEqual([1])
  expect(own(written.extra as JsonObject, name)).toEqual({ a: 1 })
  expect(written.nodes).toMatchObject([{ id: name, type: name }])
  expect(({} as { a?: number }).a).toBeUndefined()
})

test.each(NAMES)('a graph that names %s is laid out', (name) => {
  const graph = parseJson(
    `{"1": {"class_type": "${name}", "inputs": {"x": ["${name}", 0], "${name}": 1}}}`,
  )
  const workflow = layOut(graph as unknown as ApiGraph, parseCatalog(parseJson('{}')))
  expect(workflow.nodes.map(({ type }) => type)).toEqual([name])
  expect(workflow.links).toEqual([])
})

test.each(NAMES)('an input called %s has the value of its own', (name) => {
  const declared = `{"input": {"required": {"${name}": ["STRING", {"default": "d"}]}}}`
  const spec = parseCatalog(parseJson(`{"T": ${declared}}`)).T
  const node = parseWorkflow(parseJson('{"nodes": [{"id": 1, "type": "T", "widgets_values": {}}]}'))
    .nodes[0]
  const input = spec?.inputs[0]
  if (!spec || !node || !input) throw new Error('nothing was read')
  expect(readValue(node, spec, input)).toBe('d')
  const graph = { '1': { class_type: 'T', inputs: {} } }
  expect(layOut(graph, bare({ T: spec })).nodes[0]?.values).toEqual(['d'])
})

test.each(NAMES)('a node whose id is %s is idle until something happens to it', (name) => {
  expect(runOf(INITIAL.nodes, name)).toBe(IDLE)
  expect(runOf(changed(INITIAL.nodes, '2', { status: 'done' }), name)).toBe(IDLE)
  const nodes = changed(INITIAL.nodes, name, { status: 'running' })
  expect(runOf(nodes, name)).toEqual({ ...IDLE, status: 'running' })
  expect(runOf(changed(nodes, '2', { status: 'done' }), name).status).toBe('running')
  expect(problemsOf({ ...INITIAL, nodes })).toEqual([])
})
