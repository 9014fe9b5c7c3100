/** Look-ups in a document. */

import type { GraphNode, Link, NodeId, Workflow } from '../types'

export const EMPTY_WORKFLOW: Workflow = {
  nodes: [],
  links: [],
  waypoints: [],
  groups: [],
  lastNodeId: 0,
  lastLinkId: 0,
  rest: {},
}

interface Index {
  readonly nodes: ReadonlyMap<NodeId, GraphNode>
  readonly into: ReadonlyMap<string, Link>
  readonly from: ReadonlyMap<NodeId, readonly Link[]>
}

const indexes = new WeakMap<Workflow, Index>()

/** Maps over a document, made once per document. */
function indexOf(workflow: Workflow): Index {
  const known = indexes.get(workflow)
  if (known) return known
  const index: Index = {
    nodes: new Map(workflow.nodes.map((node) => [node.id, node])),
    into: new Map(workflow.links.map((link) => [inputKey(link.target, link.input), link])),
    from: groupedBy(workflow.links, (link) => link.source),
  }
  indexes.set(workflow, index)
  return index
}

/** Items by what a function says of them, in their order. */
export function groupedBy<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}

function inputKey(node: NodeId, input: string): string {
  return `${node}\n${input}`
}

export function nodeOf(workflow: Workflow, id: NodeId): GraphNode | undefined {
  return indexOf(workflow).nodes.get(id)
}

/** The wire that ends at an input; an input takes one wire at most. */
export function linkInto(workflow: Workflow, node: NodeId, input: string): Link | undefined {
  return indexOf(workflow).into.get(inputKey(node, input))
}

export function linksFrom(workflow: Workflow, node: NodeId): readonly Link[] {
  return indexOf(workflow).from.get(node) ?? []
}

/** True where wires lead from one node to another, also over nodes in between, or they are one. */
export function reaches(workflow: Workflow, from: NodeId, to: NodeId): boolean {
  const seen = new Set<NodeId>([from])
  const open = [from]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === to) return true
    for (const { target } of linksFrom(workflow, id)) {
      if (!seen.has(target)) {
        seen.add(target)
        open.push(target)
      }
    }
  }
  return false
}
