/** What a node is called. */

import { compositeOf } from '../graph/composite'
import type { GraphNode, NodeSpec, Workflow } from '../types'

/** Its own title, else that of its type, else that of the subgraph it stands for. */
export function titleOf(node: GraphNode, spec: NodeSpec | undefined, workflow?: Workflow): string {
  const composite = workflow && !spec ? compositeOf(node.type, workflow) : null
  return node.title ?? spec?.title ?? composite?.name ?? node.type
}
