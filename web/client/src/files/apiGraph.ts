/** Turn a graph in API format into a document: nodes from the catalog, laid out by their wires. */

import dagre from '@dagrejs/dagre'

import { createNode, withLink } from '../graph/actions'
import { EMPTY_WORKFLOW } from '../graph/document'
import { own } from '../graph/names'
import { withValue } from '../graph/slots'
import { expectedSize, freshSize, TITLE_HEIGHT } from '../nodes/metrics'
import type { GraphNode, JsonObject, NodeId, Point, Size, Specs, Workflow } from '../types'
import { linkOf, type ApiGraph, type ApiNode } from './format'

const COLUMN_GAP = 70
const ROW_GAP = 40

/** A document that runs as the graph does; what the catalog does not know keeps its wires. */
export function layOut(graph: ApiGraph, specs: Specs): Workflow {
  const nodes = Object.entries(graph).map(([id, node]) => toNode(id, node, graph, specs))
  const numbers = nodes.map(({ id }) => Number(id)).filter(Number.isSafeInteger)
  const lastNodeId = Math.max(0, ...numbers)
  const loose: Workflow = { ...EMPTY_WORKFLOW, nodes, lastNodeId }
  const wired = wires(graph).reduce((all, wire) => withLink(all, specs, wire), loose)
  return arranged(wired, specs)
}

type Wire = Parameters<typeof withLink>[2]

function wires(graph: ApiGraph): Wire[] {
  return Object.entries(graph).flatMap(([target, { inputs = {} }]) =>
    Object.entries(inputs).flatMap(([input, value]) => {
      const link = linkOf(value)
      return link !== null && Object.hasOwn(graph, link.source) ? [{ ...link, target, input }] : []
    }),
  )
}

function toNode(id: NodeId, raw: ApiNode, graph: ApiGraph, specs: Specs): GraphNode {
  const { class_type: type, inputs = {} } = raw
  const spec = specs[type]
  const title = raw._meta?.title ?? null
  if (spec === undefined) return unknownNode(id, type, title, inputs, graph)
  const blank = createNode(spec, id, { x: 0, y: 0 }, { width: 0, height: 0 })
  const named = { ...blank, title: title === spec.title ? null : title }
  const node = spec.inputs.reduce((filled, input) => {
    const value = own(inputs, input.name)
    if (value === undefined || linkOf(value) !== null || input.widget === null) return filled
    return withValue(filled, spec, input, value)
  }, named)
  return { ...node, size: freshSize(node, spec) }
}

/** A node of a type that is not installed: its values by name, its sockets by its wires. */
function unknownNode(
  id: NodeId,
  type: string,
  title: string | null,
  inputs: JsonObject,
  graph: ApiGraph,
): GraphNode {
  const entries = Object.entries(inputs)
  const wired = entries.filter(([, value]) => linkOf(value) !== null)
  const outputs = Math.max(0, ...wires(graph).map((w) => (w.source === id ? w.output + 1 : 0)))
  return {
    id,
    type,
    position: { x: 0, y: 0 },
    size: null,
    mode: 0,
    collapsed: false,
    title,
    inputs: wired.map(([name]) => ({ name, type: '*', rest: {} })),
    outputs: Array.from({ length: outputs }, () => ({ name: '*', type: '*', rest: {} })),
    values: Object.fromEntries(entries.filter(([, value]) => linkOf(value) === null)),
    rest: { properties: {} },
  }
}

/** The document with its nodes in columns from left to right, sources before what they feed. */
function arranged(workflow: Workflow, specs: Specs): Workflow {
  const layout = new dagre.graphlib.Graph<object, Size & Point>()
  layout.setGraph({ rankdir: 'LR', ranksep: COLUMN_GAP, nodesep: ROW_GAP })
  layout.setDefaultEdgeLabel(() => ({}))
  for (const node of workflow.nodes) {
    layout.setNode(node.id, { x: 0, y: 0, ...expectedSize(node, specs[node.type]) })
  }
  for (const { source, target } of workflow.links) layout.setEdge(source, target)
  dagre.layout(layout)
  const nodes = workflow.nodes.map((node) => {
    const { x, y, width, height } = layout.node(node.id)
    const top = y - height / 2 + TITLE_HEIGHT
    return { ...node, position: { x: Math.round(x - width / 2), y: Math.round(top) } }
  })
  return { ...workflow, nodes }
}
