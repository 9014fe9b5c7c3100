import { expect, test } from 'vitest'

import type { Value, Workflow } from '../types'
import { asShown } from './shown'
import { nodes, SPECS } from './testing'

/** A sampler with these values, as a file may hold them. */
function sampler(values: readonly Value[] | null): Workflow {
  const workflow = nodes('Sampler')
  return { ...workflow, nodes: workflow.nodes.map((node) => ({ ...node, values })) }
}

const valuesOf = (workflow: Workflow) => workflow.nodes.map((node) => node.values)

test('a widget that the file gives no value is queued with the value that it shows', () => {
  expect(valuesOf(asShown(sampler(null), SPECS))).toEqual([[0, 'randomize', 20]])
  expect(valuesOf(asShown(sampler([7, 'fixed']), SPECS))).toEqual([[7, 'fixed', 20]])
})

test('values that are there stay, whether or not they are right', () => {
  const workflow = sampler([7, 'fixed', -3])
  expect(asShown(workflow, SPECS)).toEqual(workflow)
})

test('nodes whose type is unknown are queued as they are', () => {
  const workflow = sampler([1, 2])
  expect(asShown(workflow, {})).toEqual(workflow)
})
