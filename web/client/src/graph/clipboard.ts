/** Copy and paste: a part of a document as text, so that it also travels between windows. */

import type { NodeId, Point, Workflow } from '../types'
import { parseJson, stringifyJson } from './json'
import { isObject } from './reading'
import { parseWorkflow, serializeWorkflow } from './serial'

const FORMAT = 'weft-nodes'

/** The nodes and the wires into them as text; a wire from outside is kept by its source's id. */
export function copied(workflow: Workflow, ids: ReadonlySet<NodeId>): string {
  const part: Workflow = {
    ...workflow,
    nodes: workflow.nodes.filter((node) => ids.has(node.id)),
    links: workflow.links.filter((link) => ids.has(link.source) && ids.has(link.target)),
    groups: [],
    rest: {},
  }
  return stringifyJson({ format: FORMAT, ...serializeWorkflow(part) })
}

export function isClipping(text: string): boolean {
  return text.startsWith(`{"format":"${FORMAT}"`)
}

/** The part that a text holds, or null for other texts. */
export function readClipping(text: string): Workflow | null {
  if (!isClipping(text)) return null
  try {
    const value = parseJson(text)
    return isObject(value) ? parseWorkflow(value) : null
  } catch {
    return null
  }
}

export interface Pasted {
  readonly workflow: Workflow
  readonly ids: ReadonlySet<NodeId>
}

/** The document with the part added under fresh ids, its top left corner at a point. */
export function pasted(workflow: Workflow, part: Workflow, at: Point): Pasted {
  const left = Math.min(...part.nodes.map((node) => node.position.x))
  const top = Math.min(...part.nodes.map((node) => node.position.y))
  const ids = new Map(
    part.nodes.map((node, index) => [node.id, String(workflow.lastNodeId + 1 + index)]),
  )
  const nodes = part.nodes.map((node) => ({
    ...node,
    id: ids.get(node.id) ?? node.id,
    position: { x: node.position.x - left + at.x, y: node.position.y - top + at.y },
  }))
  const lastWaypoint = Math.max(0, ...workflow.waypoints.map((point) => point.id))
  const waypointIds = new Map(
    part.waypoints.map((point, index) => [point.id, lastWaypoint + 1 + index]),
  )
  const renumbered = (id: number | null) => (id === null ? null : (waypointIds.get(id) ?? null))
  const waypoints = part.waypoints.map((point) => ({
    ...point,
    id: renumbered(point.id) ?? 0,
    parent: renumbered(point.parent),
    at: { x: point.at.x - left + at.x, y: point.at.y - top + at.y },
  }))
  const links = part.links.map((link, index) => ({
    ...link,
    via: renumbered(link.via),
    id: workflow.lastLinkId + 1 + index,
    source: ids.get(link.source) ?? link.source,
    target: ids.get(link.target) ?? link.target,
  }))
  return {
    ids: new Set(ids.values()),
    workflow: {
      ...workflow,
      nodes: [...workflow.nodes, ...nodes],
      links: [...workflow.links, ...links],
      waypoints: [...workflow.waypoints, ...waypoints],
      lastNodeId: workflow.lastNodeId + nodes.length,
      lastLinkId: workflow.lastLinkId + links.length,
    },
  }
}
