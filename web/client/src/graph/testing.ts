/** Small specs and documents for tests of the graph. */

import type { InputSpec, NodeSpec, Specs, WidgetSpec, Workflow } from '../types'
import { withLink, withNode } from './actions'
import { EMPTY_WORKFLOW } from './document'

const SEED: WidgetSpec = { kind: 'seed', default: 0, min: 0, max: 2 ** 64, control: 'randomize' }
const STEPS: WidgetSpec = {
  kind: 'number',
  integer: true,
  default: 20,
  min: 1,
  max: 100,
  step: 1,
  precision: 0,
}

function input(name: string, type: string, widget: WidgetSpec | null = null): InputSpec {
  return { name, type, label: name, optional: false, tooltip: '', widget }
}

export function spec(type: string, inputs: InputSpec[], outputs: string[]): NodeSpec {
  return {
    type,
    title: type,
    category: 'test',
    description: '',
    aliases: [],
    output: outputs.length === 0,
    deprecated: false,
    experimental: false,
    virtual: false,
    inputs,
    outputs: outputs.map((name) => ({ name, type: name, tooltip: '' })),
  }
}

export const SPECS: Specs = {
  Loader: spec('Loader', [], ['MODEL', 'CLIP']),
  Sampler: spec(
    'Sampler',
    [input('model', 'MODEL'), input('seed', 'INT', SEED), input('steps', 'INT', STEPS)],
    ['LATENT'],
  ),
  Merge: spec('Merge', [input('one', 'LATENT'), input('two', 'LATENT,IMAGE')], ['LATENT']),
  Save: spec('Save', [input('any', '*')], []),
  Reroute: spec('Reroute', [input('', '*')], ['*']),
}

const AT = { x: 0, y: 0 }
const SIZE = { width: 200, height: 100 }

/** A document of the named nodes, with ids from 1. */
export function nodes(...types: string[]): Workflow {
  return types.reduce((workflow, type, index) => {
    const known = SPECS[type]
    if (!known) throw new Error(`no spec ${type}`)
    return withNode(workflow, known, { x: AT.x + index * 300, y: AT.y }, SIZE)
  }, EMPTY_WORKFLOW)
}

/** The document with a wire, `wired(w, '1:0', '2:model')`. */
export function wired(workflow: Workflow, from: string, to: string): Workflow {
  const [source = '', output = ''] = from.split(':')
  const [target = '', name = ''] = to.split(':')
  return withLink(workflow, SPECS, { source, output: Number(output), target, input: name })
}
