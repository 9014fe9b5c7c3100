/** What a node is called. */

import { isObject, isList } from '../graph/reading'
import type { GraphNode, NodeSpec, Workflow } from '../types'

/** Its own title, else that of its type, else that of the subgraph it stands for. */
export function titleOf(node: GraphNode, spec: NodeSpec | undefined, workflow?: Workflow): string {
  return node.title ?? spec?.title ?? subgraphName(node, workflow) ?? node.type
}

function subgraphName(node: GraphNode, workflow: Workflow | undefined): string | undefined {
  const definitions = workflow?.rest.definitions
  const subgraphs = isObject(definitions) ? definitions.subgraphs : undefined
  if (!isList(subgraphs)) return undefined
  const found = subgraphs.find((item) => isObject(item) && item.id === node.type)
  return isObject(found) && typeof found.name === 'string' ? found.name : undefined
}
