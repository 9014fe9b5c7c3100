/** A graph in API format, as other programs save it: what runs, without a layout. */

import { isList, isObject } from '../graph/reading'
import type { JsonObject, NodeId, Value } from '../types'

export interface ApiNode {
  readonly class_type: string
  readonly inputs?: JsonObject
  readonly _meta?: { readonly title?: string }
}

export type ApiGraph = Readonly<Record<NodeId, ApiNode>>

/** True where every entry says its type and none is the list of nodes of a document. */
export function isApiGraph(value: Value): value is Value & ApiGraph {
  if (!isObject(value)) return false
  const nodes = Object.values(value)
  return nodes.length > 0 && nodes.every(isApiNode)
}

function isApiNode(value: Value): boolean {
  if (!isObject(value) || typeof value.class_type !== 'string') return false
  return value.inputs === undefined || isObject(value.inputs)
}

/** The node and output that a value is wired to, or null for a plain value. */
export function linkOf(value: Value): { readonly source: NodeId; readonly output: number } | null {
  if (!isList(value) || value.length !== 2) return null
  const [source, output] = value
  if (typeof output !== 'number' || !Number.isInteger(output) || output < 0) return null
  return typeof source === 'string' ? { source, output } : null
}
