/**
 * Workflow files in ComfyUI's schema 0.4 (and 1.0 for reading). What this editor does not know is
 * kept in `rest` and written back, so that other people's workflows survive a round trip.
 */

import type {
  GraphNode,
  Group,
  InputSlot,
  JsonObject,
  Link,
  LinkId,
  NodeId,
  OutputSlot,
  Value,
  WaypointId,
  Workflow,
} from '../types'
import { groupedBy } from './document'
import { inputIndex } from './slots'
import {
  asArray,
  asNumber,
  asObject,
  asText,
  isList,
  isObject,
  readPair,
  readRect,
  without,
  WorkflowError,
} from './reading'
import { extraWithWaypoints, idOf, readLinkExtensions, readWaypoints } from './waypoints'

/** Read a document from parsed JSON; throws a WorkflowError that says what is wrong with it. */
export function parseWorkflow(value: Value): Workflow {
  if (!isObject(value)) throw new WorkflowError('notAWorkflow')
  if (!isList(value.nodes)) throw new WorkflowError(reasonWithoutNodes(value))
  const nodes = value.nodes.map((node) => readNode(asObject(node, 'nodes')))
  const slots = new Map(
    value.nodes.map((node) => {
      const { id, inputs } = asObject(node, 'nodes')
      return [nodeId(id), asArray(inputs)] as const
    }),
  )
  const extensions = readLinkExtensions(value)
  const links = asArray(value.links).map((link) => readLink(link, slots, extensions))
  const ids = nodes.map((node) => Number(node.id)).filter(Number.isSafeInteger)
  const state = isObject(value.state) ? value.state : value
  return {
    nodes,
    links: links.filter((link) => link !== null),
    waypoints: readWaypoints(value),
    groups: asArray(value.groups).map(readGroup),
    lastNodeId: Math.max(0, asNumber(state.last_node_id ?? state.lastNodeId, 0), ...ids),
    lastLinkId: Math.max(
      0,
      asNumber(state.last_link_id ?? state.lastLinkId, 0),
      ...links.map((link) => link?.id ?? 0),
    ),
    rest: readRest(value),
  }
}

/** The document as a file of schema 0.4 holds it. */
export function serializeWorkflow(workflow: Workflow): JsonObject {
  const into = new Map<string, number>()
  const from = groupedBy(workflow.links, (link) => `${link.source}\n${link.output}`)
  for (const link of workflow.links) into.set(`${link.target}\n${link.input}`, link.id)
  const byId = new Map(workflow.nodes.map((node) => [node.id, node]))
  return {
    ...workflow.rest,
    last_node_id: workflow.lastNodeId,
    last_link_id: workflow.lastLinkId,
    nodes: workflow.nodes.map((node, index) => writeNode(node, index, into, from)),
    links: workflow.links.map((link) => {
      const target = byId.get(link.target)
      const slot = target ? inputIndex(target, link.input) : 0
      return [link.id, writeId(link.source), link.output, writeId(link.target), slot, link.type]
    }),
    groups: workflow.groups.map(writeGroup),
    config: workflow.rest.config ?? {},
    extra: extraWithWaypoints(workflow),
    version: 0.4,
  }
}

const DOCUMENT_KEYS = [
  ...['nodes', 'links', 'groups', 'reroutes'],
  ...['last_node_id', 'last_link_id', 'version', 'state'],
]

function readRest(value: JsonObject): JsonObject {
  const rest = without(value, DOCUMENT_KEYS)
  if (!isObject(rest.extra)) return rest
  return { ...rest, extra: without(rest.extra, ['reroutes', 'linkExtensions']) }
}

/** Why an object without a list of nodes is none: a graph in API format deserves its own words. */
function reasonWithoutNodes(value: JsonObject): 'apiFormat' | 'notAWorkflow' {
  const entries = Object.values(value)
  const isGraph = entries.some((entry) => isObject(entry) && typeof entry.class_type === 'string')
  return isGraph ? 'apiFormat' : 'notAWorkflow'
}

const NODE_KEYS = ['id', 'type', 'pos', 'size', 'mode', 'title', 'inputs', 'outputs']

function readNode(raw: JsonObject): GraphNode {
  const flags = isObject(raw.flags) ? raw.flags : {}
  const size = raw.size === undefined ? null : readPair(raw.size)
  const values = raw.widgets_values
  return {
    id: nodeId(raw.id),
    type: asText(raw.type, ''),
    position: readPair(raw.pos) ?? { x: 0, y: 0 },
    size: size && { width: size.x, height: size.y },
    mode: asNumber(raw.mode, 0),
    collapsed: flags.collapsed === true,
    title: typeof raw.title === 'string' ? raw.title : null,
    inputs: asArray(raw.inputs).map((slot) => readSlot(slot, 'link')),
    outputs: asArray(raw.outputs).map((slot) => readSlot(slot, 'links')),
    values: isList(values) || isObject(values) ? values : null,
    rest: {
      ...without(raw, [...NODE_KEYS, 'widgets_values']),
      flags: without(flags, ['collapsed']),
    },
  }
}

function writeNode(
  node: GraphNode,
  index: number,
  into: ReadonlyMap<string, number>,
  from: ReadonlyMap<string, readonly Link[]>,
): JsonObject {
  const flags = isObject(node.rest.flags) ? node.rest.flags : {}
  const inputs = node.inputs.map(({ name, type, rest }) => ({
    ...rest,
    name,
    type,
    link: into.get(`${node.id}\n${name}`) ?? null,
  }))
  const outputs = node.outputs.map(({ name, type, rest }, slot) => ({
    ...rest,
    name,
    type,
    links: (from.get(`${node.id}\n${slot}`) ?? []).map((link) => link.id),
  }))
  return {
    order: index,
    properties: {},
    ...node.rest,
    id: writeId(node.id),
    type: node.type,
    pos: [node.position.x, node.position.y],
    ...(node.size && { size: [node.size.width, node.size.height] }),
    flags: node.collapsed ? { ...flags, collapsed: true } : flags,
    mode: node.mode,
    ...(node.title !== null && { title: node.title }),
    inputs,
    outputs,
    ...(node.values !== null && { widgets_values: node.values }),
  }
}

function readSlot(value: Value, linkKey: string): InputSlot & OutputSlot {
  const raw = asObject(value, 'slots')
  return {
    name: asText(raw.name, ''),
    type: raw.type === -1 ? '*' : asText(raw.type, '*'),
    rest: without(raw, ['name', 'type', linkKey]),
  }
}

/** One wire, or null for one whose ends the document does not hold. */
function readLink(
  value: Value,
  slots: ReadonlyMap<NodeId, readonly Value[]>,
  extensions: ReadonlyMap<LinkId, WaypointId | null>,
): Link | null {
  const [id, source, output, target, slot, type] = isObject(value)
    ? [value.id, value.origin_id, value.origin_slot, value.target_id, value.target_slot, value.type]
    : asArray(value)
  if (source === undefined || target === undefined) return null
  const input = slots.get(nodeId(target))?.[asNumber(slot, 0)]
  if (!isObject(input) || !slots.has(nodeId(source))) return null
  const number = asNumber(id, 0)
  return {
    id: number,
    source: nodeId(source),
    output: asNumber(output, 0),
    target: nodeId(target),
    input: asText(input.name, ''),
    type: typeof type === 'string' ? type : '*',
    via: (isObject(value) ? idOf(value.parentId) : null) ?? extensions.get(number) ?? null,
  }
}

function readGroup(value: Value, index: number): Group {
  const raw = asObject(value, 'groups')
  return {
    id: asNumber(raw.id, index + 1),
    title: asText(raw.title, ''),
    bounds: readRect(raw.bounding),
    color: typeof raw.color === 'string' ? raw.color : null,
    rest: without(raw, ['id', 'title', 'bounding', 'color']),
  }
}

function writeGroup({ id, title, bounds, color, rest }: Group): JsonObject {
  const bounding = [bounds.x, bounds.y, bounds.width, bounds.height]
  return { ...rest, id, title, bounding, ...(color !== null && { color }) }
}

/** Ids are numbers in most files and texts in some; in memory they are texts. */
function nodeId(value: Value | undefined): NodeId {
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') return value
  throw new WorkflowError('nodeWithoutId')
}

function writeId(id: NodeId): Value {
  return /^(0|-?[1-9]\d{0,14})$/.test(id) ? Number(id) : id
}
