/** What the palette offers: node types, and those that a wire could be drawn to. */

import type { WireEnd } from '../canvas/view'
import { fits } from '../graph/fitting'
import type { NodeSpec, Specs } from '../types'

/** The types to offer, by category and then by name; outdated ones last. */
export function offersFor(specs: Specs, wire: WireEnd | null): NodeSpec[] {
  const all = Object.values(specs)
  const offered = wire ? all.filter((spec) => takes(spec, wire)) : all
  return offered.sort(
    (one, other) =>
      Number(one.deprecated) - Number(other.deprecated) ||
      one.category.localeCompare(other.category) ||
      one.title.localeCompare(other.title),
  )
}

/** True where a node has a socket for the wire; sockets that take everything do not count. */
function takes(spec: NodeSpec, wire: WireEnd): boolean {
  const sockets = 'output' in wire.socket ? spec.inputs : spec.outputs
  const isGiver = 'output' in wire.socket
  return sockets.some(({ type }) => (isGiver ? fits(wire.type, type) : fits(type, wire.type)))
}
