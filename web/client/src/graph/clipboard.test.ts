import { expect, test } from 'vitest'

import { copied, pasted, readClipping } from './clipboard'
import { nodes, wired } from './testing'

const chain = wired(wired(nodes('Loader', 'Sampler', 'Save'), '1:0', '2:model'), '2:0', '3:any')

function part(...ids: string[]) {
  const clipping = readClipping(copied(chain, new Set(ids)))
  if (!clipping) throw new Error('nothing copied')
  return clipping
}

test('pasted nodes have fresh ids and the wires among them, and leave the others alone', () => {
  const { workflow, ids } = pasted(chain, part('1', '2'), { x: 500, y: 400 })
  expect([...ids]).toEqual(['4', '5'])
  expect(workflow.nodes.slice(0, 3)).toEqual(chain.nodes)
  const added = workflow.links.slice(2)
  expect(added.map(({ source, target, input }) => [source, target, input])).toEqual([
    ['4', '5', 'model'],
  ])
})

test('links and nodes are numbered on, so that nothing is numbered twice', () => {
  const { workflow } = pasted(chain, part('1', '2'), { x: 0, y: 0 })
  const ids = workflow.links.map((link) => link.id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(workflow.lastNodeId).toBe(5)
  expect(workflow.lastLinkId).toBe(Math.max(...ids))
})

test('pasted nodes keep their places to each other, the corner lying where it is asked for', () => {
  const { workflow } = pasted(chain, part('2', '3'), { x: 50, y: 70 })
  expect(workflow.nodes.slice(3).map((node) => node.position)).toEqual([
    { x: 50, y: 70 },
    { x: 350, y: 70 },
  ])
})

test('values, titles and modes come along', () => {
  const { workflow } = pasted(chain, part('2'), { x: 0, y: 0 })
  const [original, copy] = [chain.nodes[1], workflow.nodes[3]]
  expect({ ...copy, id: '', position: null }).toEqual({
    ...original,
    id: '',
    position: null,
    rest: { ...original?.rest, order: 0 },
  })
})

test('other texts are no clipping', () => {
  expect(readClipping('a red circle')).toBeNull()
  expect(readClipping('{"nodes": []}')).toBeNull()
  expect(readClipping('{"format":"weft-nodes", broken')).toBeNull()
})
