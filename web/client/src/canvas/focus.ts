import { nodeOf } from '../graph/document'
import { select, useGraph } from '../graph/store'
import type { NodeId } from '../types'
import { fitNodes } from './viewport'

/** Bring a node to the middle of the view and select it. */
export function focusNode(id: NodeId): void {
  const node = nodeOf(useGraph.getState().workflow, id)
  if (!node) return
  select([id])
  fitNodes([node])
}
