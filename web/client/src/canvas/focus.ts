import { select } from '../graph/store'
import type { NodeId } from '../types'
import { useView } from './view'
import { FIT } from './viewport'

/** Bring a node to the middle of the view and select it. */
export function focusNode(id: NodeId): void {
  select([id])
  void useView.getState().flow?.fitView({ ...FIT, nodes: [{ id }], padding: 0.6 })
}
