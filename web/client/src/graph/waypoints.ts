/**
 * The points that wires pass through. Files call them reroutes: schema 1.0 lists them in the
 * document and names the last one in the link, schema 0.4 keeps both in `extra`.
 */

import type {
  JsonObject,
  Link,
  LinkId,
  NodeId,
  Point,
  Value,
  Waypoint,
  WaypointId,
  Workflow,
} from '../types'
import { nodeOf } from './document'
import { asArray, isObject, readPair, without } from './reading'

// ---- Files ----------------------------------------------------------------------------------

export function readWaypoints(document: JsonObject): Waypoint[] {
  const extra = isObject(document.extra) ? document.extra : {}
  return asArray(document.reroutes ?? extra.reroutes).flatMap((raw) => {
    if (!isObject(raw) || typeof raw.id !== 'number') return []
    const at = readPair(raw.pos)
    if (at === null) return []
    const rest = without(raw, ['id', 'parentId', 'pos', 'linkIds'])
    return [{ id: raw.id, parent: idOf(raw.parentId), at, rest }]
  })
}

/** The last waypoint of each link, as schema 0.4 keeps it beside the links. */
export function readLinkExtensions({ extra }: JsonObject): ReadonlyMap<LinkId, WaypointId | null> {
  const listed = isObject(extra) ? asArray(extra.linkExtensions) : []
  return new Map(
    listed.flatMap((raw) =>
      isObject(raw) && typeof raw.id === 'number' ? [[raw.id, idOf(raw.parentId)] as const] : [],
    ),
  )
}

export function idOf(value: Value | undefined): WaypointId | null {
  return typeof value === 'number' ? value : null
}

/** `extra` of schema 0.4 with the waypoints that links pass or that other editors keep loose. */
export function extraWithWaypoints(workflow: Workflow): JsonObject {
  const extra = isObject(workflow.rest.extra) ? workflow.rest.extra : {}
  const passing = passingLinks(workflow)
  const kept = workflow.waypoints.filter(({ id, rest }) => passing.has(id) || 'floating' in rest)
  if (kept.length === 0) return extra
  return {
    ...extra,
    reroutes: kept.map(({ id, parent, at, rest }) => ({
      ...rest,
      id,
      ...(parent !== null && { parentId: parent }),
      pos: [at.x, at.y],
      linkIds: (passing.get(id) ?? []).map((link) => link.id),
    })),
    linkExtensions: workflow.links.flatMap(({ id, via }) =>
      via === null ? [] : [{ id, parentId: via }],
    ),
  }
}

// ---- Ways -----------------------------------------------------------------------------------

/** The waypoints of a link from its source to its target. */
export function wayOf({ waypoints }: Pick<Workflow, 'waypoints'>, link: Link): Waypoint[] {
  const way: Waypoint[] = []
  let id = link.via
  while (id !== null) {
    const point = waypoints.find((other) => other.id === id)
    if (!point || way.includes(point)) break
    way.unshift(point)
    id = point.parent
  }
  return way
}

function passingLinks(workflow: Workflow): ReadonlyMap<WaypointId, Link[]> {
  const passing = new Map<WaypointId, Link[]>()
  for (const link of workflow.links) {
    for (const { id } of wayOf(workflow, link)) {
      passing.set(id, [...(passing.get(id) ?? []), link])
    }
  }
  return passing
}

// ---- Moving ---------------------------------------------------------------------------------

export function withWaypointAt(workflow: Workflow, id: WaypointId, at: Point): Workflow {
  const waypoints = workflow.waypoints.map((point) => (point.id === id ? { ...point, at } : point))
  return { ...workflow, waypoints }
}

/** The waypoints after nodes have moved: those of wires whose both ends moved go along. */
export function carriedWaypoints(
  workflow: Workflow,
  positions: ReadonlyMap<NodeId, Point>,
): readonly Waypoint[] {
  if (workflow.waypoints.length === 0 || positions.size === 0) return workflow.waypoints
  const passing = passingLinks(workflow)
  return workflow.waypoints.map((point) => {
    const links = passing.get(point.id) ?? []
    const carried = links.every((link) => positions.has(link.source) && positions.has(link.target))
    const lead = links[0]?.source
    const to = lead === undefined ? undefined : positions.get(lead)
    const from = lead === undefined ? undefined : nodeOf(workflow, lead)?.position
    if (!carried || !to || !from) return point
    return { ...point, at: { x: point.at.x + to.x - from.x, y: point.at.y + to.y - from.y } }
  })
}
