/** What a node offers to wire: its spec's inputs and outputs, or those of its file without one. */

import { readValue } from '../graph/slots'
import type { GraphNode, InputSpec, NodeSpec, OutputSpec } from '../types'

type Sockets<Spec> = readonly Spec[]

const inputsOf = new WeakMap<
  GraphNode,
  { spec: NodeSpec | undefined; inputs: Sockets<InputSpec> }
>()

/** All inputs in the order in which they are drawn. */
export function inputSpecs(node: GraphNode, spec: NodeSpec | undefined): Sockets<InputSpec> {
  const known = inputsOf.get(node)
  if (known && known.spec === spec) return known.inputs
  const inputs = spec ? withExtras(node, spec) : node.inputs.map(inputOfFile)
  inputsOf.set(node, { spec, inputs })
  return inputs
}

/** The spec's inputs, then those that only the file has: they may carry wires. */
function withExtras(node: GraphNode, spec: NodeSpec): Sockets<InputSpec> {
  const names = new Set(spec.inputs.map((input) => input.name))
  const inputs = spec.inputs.some(({ when }) => when)
    ? spec.inputs.filter((input) => isThere(input, node, spec))
    : spec.inputs
  const extras = node.inputs.filter((slot) => !names.has(slot.name) && !('widget' in slot.rest))
  return extras.length === 0 ? inputs : [...inputs, ...extras.map(inputOfFile)]
}

function isThere({ name, when }: InputSpec, node: GraphNode, spec: NodeSpec): boolean {
  return (when ?? []).every((one) => {
    if (one.kind === 'listed') return node.inputs.some((slot) => slot.name === name)
    const choice = spec.inputs.find((input) => input.name === one.by)
    return choice !== undefined && readValue(node, spec, choice) === one.value
  })
}

function inputOfFile(slot: GraphNode['inputs'][number]): InputSpec {
  const { label, shape } = slot.rest
  return {
    name: slot.name,
    type: slot.type,
    label: typeof label === 'string' && label !== '' ? label : slot.name,
    optional: shape === 7,
    tooltip: '',
    widget: null,
  }
}

export function outputSpecs(node: GraphNode, spec: NodeSpec | undefined): Sockets<OutputSpec> {
  if (spec && spec.outputs.length >= node.outputs.length) return spec.outputs
  const known = spec?.outputs ?? []
  const others = node.outputs.slice(known.length)
  return [...known, ...others.map(({ name, type }) => ({ name: name || type, type, tooltip: '' }))]
}

export function inputSpecOf(
  node: GraphNode,
  spec: NodeSpec | undefined,
  name: string,
): InputSpec | undefined {
  return inputSpecs(node, spec).find((input) => input.name === name)
}

export function outputSpecOf(
  node: GraphNode,
  spec: NodeSpec | undefined,
  output: number,
): OutputSpec | undefined {
  return outputSpecs(node, spec)[output]
}
