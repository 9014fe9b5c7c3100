/** What runs is what is shown: values that a file leaves out are sent as the widgets show them. */

import { specFor } from '../catalog/primitive'
import type { GraphNode, NodeSpec, Specs, Workflow } from '../types'
import { readValue, withValue } from './slots'

/** The document with a value in every widget, the default where the file has none. */
export function asShown(workflow: Workflow, specs: Specs): Workflow {
  const nodes = workflow.nodes.map((node) => {
    const spec = specFor(node, workflow, specs)
    return spec ? filled(node, spec) : node
  })
  return { ...workflow, nodes }
}

function filled(node: GraphNode, spec: NodeSpec): GraphNode {
  return spec.inputs.reduce((changed, input) => {
    const value = input.widget ? readValue(changed, spec, input) : null
    return value === null ? changed : withValue(changed, spec, input, value)
  }, node)
}
