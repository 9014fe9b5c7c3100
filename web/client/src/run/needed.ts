/** Which nodes of a job will run. */

import type { JobItem } from '../api/types'
import { own } from '../graph/names'
import type { NodeId } from './state'

/** The targets of a job and everything upstream of them. */
export function neededBy({ graph, targets }: JobItem): ReadonlySet<NodeId> {
  const needed = new Set<NodeId>()
  const waiting = [...targets]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const node = own(graph, id)
    if (node === undefined || needed.has(id)) continue
    needed.add(id)
    waiting.push(...Object.values(node.inputs).flatMap(sourceOf))
  }
  return needed
}

/** The id of the node that an input's value comes from, if it comes from one. */
function sourceOf(value: unknown): NodeId[] {
  const isLink =
    Array.isArray(value) &&
    value.length === 2 &&
    typeof value[0] === 'string' &&
    typeof value[1] === 'number'
  return isLink ? [value[0] as string] : []
}
