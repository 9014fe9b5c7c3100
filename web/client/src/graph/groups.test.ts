import { expect, test } from 'vitest'

import { parseSpec } from '../catalog/parse'
import { inputSpecs } from '../catalog/sockets'
import type { GraphNode, Workflow } from '../types'
import { createNode, withInputValue, withLink } from './actions'
import { EMPTY_WORKFLOW, nodeOf } from './document'
import { parseWorkflow, serializeWorkflow } from './serial'
import { readValue } from './slots'

const WIDTH = ['INT', { default: 512, min: 0, max: 16384 }]
const MERGE = parseSpec('Merge', {
  input: {
    required: {
      images: [
        'COMFY_AUTOGROW_V3',
        {
          template: {
            input: { required: { image: ['IMAGE', {}] } },
            prefix: 'image',
            min: 1,
            max: 3,
          },
        },
      ],
      size: [
        'COMFY_DYNAMICCOMBO_V3',
        {
          options: [
            { key: 'factor', inputs: { required: { factor: ['FLOAT', { default: 1.5 }] } } },
            { key: 'sides', inputs: { required: { width: WIDTH, height: WIDTH } } },
            { key: 'match', inputs: { required: { match: ['IMAGE,MASK', {}] } } },
          ],
        },
      ],
      method: ['COMBO', { options: ['area', 'bilinear'] }],
    },
  },
  output: ['IMAGE'],
  output_name: ['IMAGE'],
})
const SPECS = { Merge: MERGE }

function node(id: string): GraphNode {
  return createNode(MERGE, id, { x: 0, y: 0 }, { width: 0, height: 0 })
}

const TWO: Workflow = { ...EMPTY_WORKFLOW, nodes: [node('1'), node('2')] }

function namesOf(workflow: Workflow): string[] {
  const found = nodeOf(workflow, '2')
  return found ? inputSpecs(found, MERGE).map(({ name }) => name) : []
}

function wired(workflow: Workflow, input: string): Workflow {
  return withLink(workflow, SPECS, { source: '1', output: 0, target: '2', input })
}

function chosen(workflow: Workflow, input: string, value: string | number): Workflow {
  const found = nodeOf(workflow, '2')
  const spec = found && inputSpecs(found, MERGE).find(({ name }) => name === input)
  if (!spec) throw new Error(`no ${input}`)
  return withInputValue(workflow, MERGE, '2', spec, value)
}

test('a group has one free input more than is wired, up to its most', () => {
  const count = (workflow: Workflow) =>
    namesOf(workflow).filter((name) => name.startsWith('images.')).length
  expect(count(TWO)).toBe(1)
  const one = wired(TWO, 'images.image0')
  expect(count(one)).toBe(2)
  const three = wired(wired(one, 'images.image1'), 'images.image2')
  expect(count(three)).toBe(3)
})

test('a choice brings its inputs and keeps the values after them', () => {
  expect(namesOf(TWO).slice(1)).toEqual(['size', 'size.factor', 'method'])
  const sides = chosen(chosen(TWO, 'method', 'bilinear'), 'size', 'sides')
  expect(namesOf(sides).slice(1)).toEqual(['size', 'size.width', 'size.height', 'method'])
  expect(nodeOf(sides, '2')?.values).toEqual(['sides', 512, 512, 'bilinear'])
  const wide = chosen(sides, 'size.width', 64)
  expect(nodeOf(wide, '2')?.values).toEqual(['sides', 64, 512, 'bilinear'])
  expect(nodeOf(chosen(wide, 'size', 'factor'), '2')?.values).toEqual(['factor', 1.5, 'bilinear'])
})

test('a wire goes with the choice that brought its input', () => {
  const matched = wired(chosen(TWO, 'size', 'match'), 'size.match')
  expect(matched.links).toHaveLength(1)
  expect(chosen(matched, 'size', 'factor').links).toHaveLength(0)
})

test('groups and choices survive a file', () => {
  const made = chosen(wired(wired(TWO, 'images.image0'), 'images.image1'), 'size', 'sides')
  const read = parseWorkflow(serializeWorkflow(made))
  expect(namesOf(read)).toEqual(namesOf(made))
  expect(read.links.map(({ input }) => input)).toEqual(['images.image0', 'images.image1'])
  const found = nodeOf(read, '2')
  const method = MERGE.inputs.find(({ name }) => name === 'method')
  expect(found && method && readValue(found, MERGE, method)).toBe('area')
})

const PART = { input: { required: { part: ['*', {}] } }, prefix: 'part', min: 1, max: 3 }
const UNIT = [
  'COMFY_DYNAMICCOMBO_V3',
  {
    options: [
      { key: 'pixels', inputs: { required: { count: ['INT', { default: 8 }] } } },
      { key: 'parts', inputs: { required: { parts: ['COMFY_AUTOGROW_V3', { template: PART }] } } },
    ],
  },
]
const NESTED = parseSpec('Nested', {
  input: {
    required: {
      how: [
        'COMFY_DYNAMICCOMBO_V3',
        {
          options: [
            { key: 'square', inputs: { required: { size: WIDTH } } },
            { key: 'by', inputs: { required: { unit: UNIT } } },
          ],
        },
      ],
      color: ['COLOR', { default: '#ffffff', socketless: true }],
      box: ['BOUNDING_BOX', { default: { x: 0, y: 0 }, socketless: true }],
      rate: ['FLOAT,INT', { default: 25, widgetType: 'FLOAT' }],
    },
  },
  output: ['*'],
  output_name: ['*'],
})

test('choices and groups behind a choice are there while all of them are chosen', () => {
  let workflow: Workflow = {
    ...EMPTY_WORKFLOW,
    nodes: ['1', '2'].map((id) => createNode(NESTED, id, { x: 0, y: 0 }, { width: 0, height: 0 })),
  }
  const names = () => {
    const found = nodeOf(workflow, '2')
    return found ? inputSpecs(found, NESTED).map(({ name }) => name) : []
  }
  const choose = (input: string, value: string) => {
    const found = nodeOf(workflow, '2')
    const spec = found && inputSpecs(found, NESTED).find(({ name }) => name === input)
    if (!spec) throw new Error(`no ${input}`)
    workflow = withInputValue(workflow, NESTED, '2', spec, value)
  }
  const rest = ['color', 'box', 'rate']
  const kept = ['#ffffff', { x: 0, y: 0 }, 25]
  expect(names()).toEqual(['how', 'how.size', ...rest])
  expect(nodeOf(workflow, '2')?.values).toEqual(['square', 512, ...kept])
  choose('how', 'by')
  expect(names()).toEqual(['how', 'how.unit', 'how.unit.count', ...rest])
  expect(nodeOf(workflow, '2')?.values).toEqual(['by', 'pixels', 8, ...kept])
  choose('how.unit', 'parts')
  expect(names()).toEqual(['how', 'how.unit', 'how.unit.parts.part0', ...rest])
  expect(nodeOf(workflow, '2')?.values).toEqual(['by', 'parts', ...kept])
  workflow = withLink(
    workflow,
    { Nested: NESTED },
    { source: '1', output: 0, target: '2', input: 'how.unit.parts.part0' },
  )
  expect(names().filter((name) => name.includes('part'))).toHaveLength(2)
  choose('how', 'square')
  expect(names()).toEqual(['how', 'how.size', ...rest])
  expect(workflow.links).toHaveLength(0)
})
