import { expect, test } from 'vitest'

import { linkInto, nodeOf } from '../graph/document'
import { readValue } from '../graph/slots'
import type { InputSpec, NodeSpec, Specs } from '../types'
import { looksLikeWorkflow, readWorkflow, textToWorkflow } from './read'
import { fileName } from './save'

function input(name: string, type: string, widget: InputSpec['widget'] = null): InputSpec {
  return { name, type, label: name, optional: false, tooltip: '', widget }
}

function spec(type: string, inputs: readonly InputSpec[], outputs: readonly string[]): NodeSpec {
  return {
    type,
    title: `Title of ${type}`,
    category: '',
    description: '',
    aliases: [],
    output: false,
    deprecated: false,
    experimental: false,
    virtual: false,
    inputs,
    outputs: outputs.map((name) => ({ name, type: name, tooltip: '' })),
  }
}

const seed = { kind: 'seed', default: 0, min: 0, max: 2 ** 53, control: 'randomize' } as const
const text = { kind: 'text', multiline: true, default: '', placeholder: '' } as const

const SPECS: Specs = {
  Encode: spec('Encode', [input('text', 'STRING', text)], ['CONDITIONING']),
  Sample: spec(
    'Sample',
    [input('positive', 'CONDITIONING'), input('seed', 'INT', seed)],
    ['LATENT'],
  ),
}

const GRAPH = {
  '3': {
    class_type: 'Sample',
    inputs: { positive: ['6', 0], seed: 7 },
    _meta: { title: 'Title of Sample' },
  },
  '6': { class_type: 'Encode', inputs: { text: 'a cat' }, _meta: { title: 'Positive' } },
  '9': { class_type: 'Mystery', inputs: { latent: ['3', 0], strength: 0.5 } },
}

const DOCUMENT = '{"nodes": [], "links": [], "version": 0.4, "id": "w"}'

function json(content: unknown): File {
  return new File([typeof content === 'string' ? content : JSON.stringify(content)], 'file.json')
}

test('a document of the editor is opened', async () => {
  expect((await readWorkflow(json(DOCUMENT), SPECS)).rest.id).toBe('w')
})

test('a graph in API format becomes a document with its values, wires and titles', () => {
  const workflow = textToWorkflow(JSON.stringify(GRAPH), SPECS)
  const [sampler, encoder] = [nodeOf(workflow, '3'), nodeOf(workflow, '6')]
  const specs = [SPECS.Sample, SPECS.Encode] as const
  if (!sampler || !encoder || !specs[0] || !specs[1]) throw new Error('nodes are missing')
  const seedInput = specs[0].inputs[1]
  const textInput = specs[1].inputs[0]
  expect(seedInput && readValue(sampler, specs[0], seedInput)).toBe(7)
  expect(textInput && readValue(encoder, specs[1], textInput)).toBe('a cat')
  expect(linkInto(workflow, '3', 'positive')).toMatchObject({ source: '6', output: 0 })
  expect([sampler.title, encoder.title]).toEqual([null, 'Positive'])
  expect(workflow.lastNodeId).toBe(9)
})

test('nodes of a graph stand left of what they feed, and do not overlap', () => {
  const { nodes } = textToWorkflow(JSON.stringify(GRAPH), SPECS)
  const left = (id: string) => nodes.find((node) => node.id === id)?.position.x ?? NaN
  expect(left('6')).toBeLessThan(left('3'))
  expect(left('3')).toBeLessThan(left('9'))
})

test('a node of an unknown type keeps its wires and values', () => {
  const workflow = textToWorkflow(JSON.stringify(GRAPH), SPECS)
  expect(nodeOf(workflow, '9')).toMatchObject({ type: 'Mystery', values: { strength: 0.5 } })
  expect(linkInto(workflow, '9', 'latent')?.source).toBe('3')
})

test.each([
  ['words', 'hello', 'unknownKind'],
  ['JSON that is cut short', '{"nodes": [', 'brokenJson'],
  ['other JSON', '{"name": "x"}', 'notAWorkflow'],
])('%s are refused with the reason', async (_what, content, fault) => {
  await expect(readWorkflow(json(content), SPECS)).rejects.toMatchObject({ fault })
})

test('a picture of another kind is refused before it is read as text', async () => {
  const file = new File([new Uint8Array([0xff, 0xd8, 0xff])], 'a.jpg', { type: 'image/jpeg' })
  await expect(readWorkflow(file, SPECS)).rejects.toMatchObject({ fault: 'unknownKind' })
})

test('only texts that could be a workflow are tried when pasted', () => {
  expect(looksLikeWorkflow(DOCUMENT)).toBe(true)
  expect(looksLikeWorkflow(JSON.stringify(GRAPH))).toBe(true)
  expect(looksLikeWorkflow('a red circle, {detailed}')).toBe(false)
})

test('a name becomes one that every file system takes', () => {
  expect(fileName('my workflow.json')).toBe('my workflow')
  expect(fileName('../a/b:c*')).toBe('_a_b_c_')
  expect(fileName(' 고양이. ')).toBe('고양이')
  expect(fileName('..')).toBe('workflow')
})
