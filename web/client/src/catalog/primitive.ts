/** A primitive holds one value for the inputs that it is wired to, and looks like their widget. */

import { linksFrom, nodeOf } from '../graph/document'
import type { GraphNode, InputSpec, NodeSpec, Specs, Workflow } from '../types'
import { inputSpecOf } from './sockets'

/** The spec of a node; that of a primitive follows from the first widget it is wired to. */
export function specFor(node: GraphNode, workflow: Workflow, specs: Specs): NodeSpec | undefined {
  const spec = specs[node.type]
  if (node.type !== 'PrimitiveNode' || !spec) return spec
  const [link] = linksFrom(workflow, node.id)
  const target = link && nodeOf(workflow, link.target)
  const input = target && inputSpecOf(target, specs[target.type], link.input)
  return input?.widget ? primitiveOf(input, spec) : spec
}

const primitives = new WeakMap<InputSpec, NodeSpec>()

function primitiveOf(input: InputSpec, spec: NodeSpec): NodeSpec {
  const known = primitives.get(input)
  if (known) return known
  const made = {
    ...spec,
    inputs: [{ ...input, name: 'value', optional: false }],
    outputs: [{ name: input.label, type: input.type, tooltip: '' }],
  }
  primitives.set(input, made)
  return made
}
