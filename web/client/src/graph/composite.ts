/** Nodes that stand for others of their document: subgraphs, and the group nodes of old files. */

import type { JsonObject, Workflow } from '../types'
import { isList, isObject } from './reading'

export interface Composite {
  readonly name: string
  /** How many nodes run in its place, those of subgraphs inside it counted as one. */
  readonly count: number
}

const GROUP_NODE = /^workflow[/>]/

/** What a node type stands for, or null for one that the server has to know. */
export function compositeOf(type: string, { rest }: Workflow): Composite | null {
  const inside = subgraphOf(type, rest) ?? groupNodeOf(type, rest)
  if (inside === null) return null
  const { name } = inside
  return {
    name: typeof name === 'string' && name !== '' ? name : type.replace(GROUP_NODE, ''),
    count: isList(inside.nodes) ? inside.nodes.length : 0,
  }
}

function subgraphOf(type: string, { definitions }: JsonObject): JsonObject | null {
  const subgraphs = isObject(definitions) ? definitions.subgraphs : undefined
  if (!isList(subgraphs)) return null
  const found = subgraphs.find((item) => isObject(item) && item.id === type)
  return isObject(found) ? found : null
}

function groupNodeOf(type: string, { extra }: JsonObject): JsonObject | null {
  const groups = isObject(extra) ? extra.groupNodes : undefined
  if (!GROUP_NODE.test(type) || !isObject(groups)) return null
  const found = groups[type.replace(GROUP_NODE, '')]
  return isObject(found) ? found : null
}
