/** How the shown nodes fare: what a message about one node of a graph changes about them. */

import { bare } from '../graph/names'
import { IDLE, type NodeId, type NodeRun, type Problem, type RunState } from './state'

export type Nodes = RunState['nodes']

/** The node that shows what a node of the graph does: a subgraph (12) shows its inside (12:3). */
export function shownBy(id: NodeId): NodeId {
  return id.split(':', 1)[0] ?? id
}

/** `nodes` with some fields of one node changed; the same object if they are equal already. */
export function changed(nodes: Nodes, id: NodeId, change: Partial<NodeRun>): Nodes {
  const shown = shownBy(id)
  const before = nodes[shown] ?? IDLE
  const after = { ...before, ...(shown === id ? change : ofAPart(change)) }
  const sameProgress =
    before.progress?.value === after.progress?.value && before.progress?.max === after.progress?.max
  const same =
    sameProgress &&
    before.status === after.status &&
    before.preview === after.preview &&
    before.output === after.output &&
    before.problems === after.problems
  return same ? nodes : bare(nodes, { [shown]: after })
}

/** The end of a part is not the end of the whole. */
function ofAPart({ status, ...change }: Partial<NodeRun>): Partial<NodeRun> {
  return status === undefined || status === 'done' ? change : { status, ...change }
}

export function mapNodes(nodes: Nodes, change: (node: NodeRun) => Partial<NodeRun>): Nodes {
  return Object.entries(nodes).reduce((all, [id, node]) => changed(all, id, change(node)), nodes)
}

/** Nodes that were running get their final status. */
export function settled(nodes: Nodes, status: 'done' | 'idle'): Nodes {
  return mapNodes(nodes, (node) => (node.status === 'running' ? { status, progress: null } : {}))
}

export function runOf(nodes: Nodes, id: NodeId): NodeRun {
  return nodes[shownBy(id)] ?? IDLE
}

export function problemOfARun(id: NodeId, message: string, details: string): Problem {
  return { nodeId: shownBy(id), input: null, kind: 'execution', message, details, values: {} }
}

export function isOfARun(problem: Problem): boolean {
  return problem.kind === 'execution'
}
