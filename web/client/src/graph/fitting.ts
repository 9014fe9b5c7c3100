/** Which wires may be drawn, and why others are refused. */

import { inputSpecOf, outputSpecOf } from '../catalog/sockets'
import type { GraphNode, NodeId, Specs, Workflow } from '../types'
import { linksFrom, linkInto, nodeOf, reaches } from './document'

/** A wire that somebody would like to draw. */
export interface Wish {
  readonly source: NodeId
  readonly output: number
  readonly target: NodeId
  readonly input: string
}

/** Why a wire is refused: an i18n key below `canvas.refusal`, and what it tells. */
export type Refusal =
  | { readonly reason: 'gone' | 'self' | 'loop' | 'direction' }
  | { readonly reason: 'type'; readonly output: string; readonly input: string }
  | { readonly reason: 'nothingFits'; readonly type: string }

/** Why a wire may not be drawn, or null if it may. */
export function refusal(wish: Wish, workflow: Workflow, specs: Specs): Refusal | null {
  const source = nodeOf(workflow, wish.source)
  const target = nodeOf(workflow, wish.target)
  if (!source || !target) return { reason: 'gone' }
  if (wish.source === wish.target) return { reason: 'self' }
  const output = outputType(workflow, specs, source, wish.output)
  const wanted = inputType(workflow, specs, target, wish.input)
  if (output === null || wanted === null) return { reason: 'gone' }
  if (!fits(output, wanted)) return { reason: 'type', output, input: wanted }
  if (reaches(workflow, wish.target, wish.source)) return { reason: 'loop' }
  return null
}

/** True where a wire of one type may end at an input of the other; a star takes everything. */
export function fits(output: string, input: string): boolean {
  if (output === '*' || input === '*' || output === '' || input === '') return true
  const wanted = input.split(',')
  return output.split(',').some((type) => wanted.includes(type))
}

/** The type that leaves an output; a reroute gives what it is given. */
export function outputType(
  workflow: Workflow,
  specs: Specs,
  node: GraphNode,
  output: number,
  visited: ReadonlySet<NodeId> = new Set(),
): string | null {
  if (node.type !== 'Reroute') return outputSpecOf(node, specs[node.type], output)?.type ?? null
  const link = linkInto(workflow, node.id, node.inputs[0]?.name ?? '')
  const source = link && nodeOf(workflow, link.source)
  if (!link || !source || visited.has(node.id)) return '*'
  return outputType(workflow, specs, source, link.output, new Set([...visited, node.id]))
}

/** The type that an input wants; a reroute wants what the inputs behind it want. */
export function inputType(
  workflow: Workflow,
  specs: Specs,
  node: GraphNode,
  input: string,
  visited: ReadonlySet<NodeId> = new Set(),
): string | null {
  if (node.type !== 'Reroute') return inputSpecOf(node, specs[node.type], input)?.type ?? null
  if (visited.has(node.id)) return '*'
  const seen = new Set([...visited, node.id])
  const wanted = linksFrom(workflow, node.id).flatMap((link) => {
    const target = nodeOf(workflow, link.target)
    return target ? [inputType(workflow, specs, target, link.input, seen) ?? '*'] : []
  })
  return wanted.find((type) => type !== '*') ?? '*'
}
