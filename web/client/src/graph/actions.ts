/** What can be done to a document: pure functions from one document to the next. */

import { inputSpecs, outputSpecs } from '../catalog/sockets'
import type {
  GraphNode,
  Group,
  InputSpec,
  LinkId,
  NodeId,
  NodeSpec,
  Point,
  Size,
  Specs,
  Value,
  Workflow,
} from '../types'
import { linkInto, nodeOf } from './document'
import type { Wish } from './fitting'
import { outputType } from './fitting'
import { defaultValues, inputIndex, withValue, type Slot } from './slots'
import { carriedWaypoints } from './waypoints'

/** A node fresh from the palette. */
export function createNode(spec: NodeSpec, id: NodeId, position: Point, size: Size): GraphNode {
  const node: GraphNode = {
    id,
    type: spec.type,
    position,
    size,
    mode: 0,
    collapsed: false,
    title: null,
    inputs: [],
    outputs: spec.outputs.map(({ name, type }) => ({ name, type, rest: {} })),
    values: defaultValues(spec),
    rest: { flags: {}, properties: spec.virtual ? {} : { 'Node name for S&R': spec.type } },
  }
  return { ...node, inputs: inputSpecs(node, spec).map(createSlot) }
}

function createSlot(input: InputSpec): GraphNode['inputs'][number] {
  const widget = input.widget ? { widget: { name: input.name } } : {}
  const shape = input.optional ? { shape: 7 } : {}
  return { name: input.name, type: input.type, rest: { ...shape, ...widget } }
}

/** Add a node; its id is the document's `lastNodeId` afterwards. */
export function withNode(workflow: Workflow, spec: NodeSpec, at: Point, size: Size): Workflow {
  const lastNodeId = workflow.lastNodeId + 1
  const node = createNode(spec, String(lastNodeId), at, size)
  return { ...workflow, lastNodeId, nodes: [...workflow.nodes, node] }
}

/** Draw a wire; a wire that was at the input before gives way. */
export function withLink(workflow: Workflow, specs: Specs, wish: Wish): Workflow {
  const source = nodeOf(workflow, wish.source)
  const target = nodeOf(workflow, wish.target)
  if (!source || !target) return workflow
  const old = linkInto(workflow, wish.target, wish.input)
  if (old?.source === wish.source && old.output === wish.output) return workflow
  const id = workflow.lastLinkId + 1
  const type = outputType(workflow, specs, source, wish.output) ?? '*'
  const links = workflow.links.filter((link) => link !== old)
  return {
    ...withSlots(workflow, specs, source, target, wish),
    lastLinkId: id,
    links: [...links, { id, ...wish, type, via: null }],
  }
}

/**
 * The document whose nodes list the two sockets of a wire, as old files leave widgets' inputs out,
 * and the next input of a growing group.
 */
function withSlots(
  workflow: Workflow,
  specs: Specs,
  source: GraphNode,
  target: GraphNode,
  wish: Wish,
): Workflow {
  let changed = workflow
  const known = specs[target.type]?.inputs ?? []
  const shown = inputSpecs(target, specs[target.type])
  const wired = [...shown, ...known].find(({ name }) => name === wish.input)
  const next = wired && known[known.indexOf(wired) + 1]
  const grows = next?.when?.some(({ kind }) => kind === 'listed')
  const wanted = [wired, grows ? next : undefined]
    .filter((input) => input !== undefined)
    .filter(({ name }) => inputIndex(target, name) < 0)
  if (wanted.length > 0) {
    changed = mapNode(changed, target.id, (node) => ({
      ...node,
      inputs: [...node.inputs, ...wanted.map(createSlot)],
    }))
  }
  if (source.outputs.length <= wish.output) {
    const outputs = outputSpecs(source, specs[source.type])
    changed = mapNode(changed, source.id, (node) => ({
      ...node,
      outputs: outputs.map(({ name, type }, index) => {
        return node.outputs[index] ?? { name, type, rest: {} }
      }),
    }))
  }
  return changed
}

export function withoutLinks(workflow: Workflow, ids: ReadonlySet<LinkId>): Workflow {
  const links = workflow.links.filter((link) => !ids.has(link.id))
  return links.length === workflow.links.length ? workflow : { ...workflow, links }
}

/** Remove nodes together with their wires. */
export function withoutNodes(workflow: Workflow, ids: ReadonlySet<NodeId>): Workflow {
  const nodes = workflow.nodes.filter((node) => !ids.has(node.id))
  if (nodes.length === workflow.nodes.length) return workflow
  const links = workflow.links.filter((link) => !ids.has(link.source) && !ids.has(link.target))
  return { ...workflow, nodes, links }
}

/** Put nodes somewhere else, and with them the waypoints of wires whose both ends move. */
export function moved(workflow: Workflow, positions: ReadonlyMap<NodeId, Point>): Workflow {
  const waypoints = carriedWaypoints(workflow, positions)
  const carried = waypoints === workflow.waypoints ? workflow : { ...workflow, waypoints }
  return mapNodes(carried, (node) => {
    const position = positions.get(node.id)
    if (!position) return node
    const same = position.x === node.position.x && position.y === node.position.y
    return same ? node : { ...node, position }
  })
}

export function resized(workflow: Workflow, id: NodeId, at: Point, size: Size): Workflow {
  return mapNode(workflow, id, (node) => ({ ...node, position: at, size }))
}

/** Give a value to an input's widget, or to the control that belongs to it. */
export function withInputValue(
  workflow: Workflow,
  spec: NodeSpec,
  id: NodeId,
  input: InputSpec,
  value: Value,
  role: Slot['role'] = 'value',
): Workflow {
  const changed = mapNode(workflow, id, (node) => withValue(node, spec, input, value, role))
  return withoutLinks(changed, linksOfOthers(changed, spec, id, input))
}

/** The wires into inputs that were there while a choice had another value. */
function linksOfOthers(
  workflow: Workflow,
  spec: NodeSpec,
  id: NodeId,
  choice: InputSpec,
): ReadonlySet<LinkId> {
  const node = nodeOf(workflow, id)
  const parts = spec.inputs.filter(({ when }) => {
    return when?.some((one) => one.kind === 'chosen' && one.by === choice.name)
  })
  if (!node || parts.length === 0) return new Set()
  const there = new Set(inputSpecs(node, spec).map(({ name }) => name))
  const gone = new Set(parts.map(({ name }) => name).filter((name) => !there.has(name)))
  const links = workflow.links.filter((link) => link.target === id && gone.has(link.input))
  return new Set(links.map((link) => link.id))
}

export function retitled(workflow: Workflow, id: NodeId, title: string | null): Workflow {
  return mapNode(workflow, id, (node) => (node.title === title ? node : { ...node, title }))
}

/** Give all nodes the mode, or take it from them if all have it. */
export function toggledMode(workflow: Workflow, ids: ReadonlySet<NodeId>, mode: number): Workflow {
  const nodes = workflow.nodes.filter((node) => ids.has(node.id))
  const next = nodes.every((node) => node.mode === mode) ? 0 : mode
  return mapNodes(workflow, (node) => (ids.has(node.id) ? { ...node, mode: next } : node))
}

/** Fold all nodes to their title bars, or unfold them if all are folded. */
export function toggledCollapse(workflow: Workflow, ids: ReadonlySet<NodeId>): Workflow {
  const nodes = workflow.nodes.filter((node) => ids.has(node.id))
  const collapsed = !nodes.every((node) => node.collapsed)
  return mapNodes(workflow, (node) => (ids.has(node.id) ? { ...node, collapsed } : node))
}

export function withGroup(workflow: Workflow, group: Omit<Group, 'id' | 'rest'>): Workflow {
  const id = Math.max(0, ...workflow.groups.map((other) => other.id)) + 1
  const rest = { font_size: 24, flags: {} }
  return { ...workflow, groups: [...workflow.groups, { ...group, id, rest }] }
}

export function withoutGroups(workflow: Workflow, ids: ReadonlySet<number>): Workflow {
  const groups = workflow.groups.filter((group) => !ids.has(group.id))
  return groups.length === workflow.groups.length ? workflow : { ...workflow, groups }
}

export function changedGroup(
  workflow: Workflow,
  id: number,
  change: Partial<Omit<Group, 'id'>>,
): Workflow {
  const groups = workflow.groups.map((group) => {
    return group.id === id ? { ...group, ...change } : group
  })
  return { ...workflow, groups }
}

export function mapNode(
  workflow: Workflow,
  id: NodeId,
  change: (node: GraphNode) => GraphNode,
): Workflow {
  return mapNodes(workflow, (node) => (node.id === id ? change(node) : node))
}

/** The document with changed nodes; the same document if none is. */
function mapNodes(workflow: Workflow, change: (node: GraphNode) => GraphNode): Workflow {
  const nodes = workflow.nodes.map(change)
  const same = nodes.every((node, index) => node === workflow.nodes[index])
  return same ? workflow : { ...workflow, nodes }
}
