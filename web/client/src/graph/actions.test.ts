import { describe, expect, test } from 'vitest'

import { MODE } from '../types'
import { retitled, toggledCollapse, toggledMode, withInputValue, withoutNodes } from './actions'
import { linkInto, nodeOf } from './document'
import { readValue } from './slots'
import { nodes, SPECS, wired } from './testing'

describe('wires', () => {
  test('an input takes one wire: a second one replaces the first', () => {
    const workflow = wired(
      wired(nodes('Loader', 'Loader', 'Sampler'), '1:0', '3:model'),
      '2:0',
      '3:model',
    )
    expect(workflow.links).toHaveLength(1)
    expect(linkInto(workflow, '3', 'model')?.source).toBe('2')
  })

  test('drawing the same wire again changes nothing', () => {
    const workflow = wired(nodes('Loader', 'Sampler'), '1:0', '2:model')
    expect(wired(workflow, '1:0', '2:model')).toBe(workflow)
  })

  test('a wire carries the type of its output', () => {
    expect(wired(nodes('Loader', 'Save'), '1:1', '2:any').links[0]?.type).toBe('CLIP')
  })

  test('a wire into a widget gives the node of an old file a socket for it', () => {
    const old = { ...nodes('Loader', 'Sampler') }
    const bare = { ...old, nodes: old.nodes.map((node) => ({ ...node, inputs: [] })) }
    const slots = nodeOf(wired(bare, '1:0', '2:steps'), '2')?.inputs
    expect(slots).toEqual([{ name: 'steps', type: 'INT', rest: { widget: { name: 'steps' } } }])
  })

  test('removing a node removes its wires and no others', () => {
    const chain = wired(wired(nodes('Loader', 'Sampler', 'Save'), '1:0', '2:model'), '1:1', '3:any')
    const left = withoutNodes(chain, new Set(['2']))
    expect(left.links.map((link) => link.target)).toEqual(['3'])
  })
})

describe('nodes', () => {
  test('ids are never given twice, not even after a removal', () => {
    const workflow = withoutNodes(nodes('Loader', 'Loader'), new Set(['2']))
    expect(workflow.lastNodeId).toBe(2)
  })

  test('a value that is set is the value that is read', () => {
    const spec = SPECS.Sampler
    const steps = spec?.inputs.find((input) => input.name === 'steps')
    if (!spec || !steps) throw new Error('no spec')
    const workflow = withInputValue(nodes('Sampler'), spec, '1', steps, 33)
    const node = nodeOf(workflow, '1')
    expect(node && readValue(node, spec, steps)).toBe(33)
    expect(node?.values).toEqual([0, 'randomize', 33])
  })

  test('setting a value to what it is changes nothing', () => {
    const spec = SPECS.Sampler
    const steps = spec?.inputs.find((input) => input.name === 'steps')
    if (!spec || !steps) throw new Error('no spec')
    const workflow = nodes('Sampler')
    expect(withInputValue(workflow, spec, '1', steps, 20)).toBe(workflow)
  })

  test('muting some of several mutes all, muting all of them unmutes', () => {
    const ids = new Set(['1', '2'])
    const one = toggledMode(nodes('Loader', 'Loader'), new Set(['1']), MODE.muted)
    const both = toggledMode(one, ids, MODE.muted)
    expect(both.nodes.map((node) => node.mode)).toEqual([2, 2])
    expect(toggledMode(both, ids, MODE.muted).nodes.map((node) => node.mode)).toEqual([0, 0])
  })

  test('folding twice is as if nothing had happened', () => {
    const workflow = nodes('Loader')
    const ids = new Set(['1'])
    expect(toggledCollapse(toggledCollapse(workflow, ids), ids)).toEqual(workflow)
  })

  test('an unchanged title leaves the document as it is', () => {
    const workflow = nodes('Loader')
    expect(retitled(workflow, '1', null)).toBe(workflow)
    expect(nodeOf(retitled(workflow, '1', 'Mine'), '1')?.title).toBe('Mine')
  })
})
