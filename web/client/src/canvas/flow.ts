/** The document as xyflow draws it: flow nodes and flow edges, made anew only where it changed. */

import { type Edge, type Node, type NodeHandle, Position } from '@xyflow/react'

import { anatomyOf, expectedSize, inputHeights, socketHeight, TITLE_HEIGHT } from '../nodes/metrics'
import type { GraphNode, Group, Link, NodeSpec, Point, Size, Specs, Waypoint } from '../types'

export type NodeFlow = Node<{ readonly node: GraphNode }, 'node'>
export type GroupFlow = Node<{ readonly group: Group }, 'frame'>
export type FlowNode = NodeFlow | GroupFlow
export type WireFlow = Edge<{ readonly type: string; readonly way: readonly Waypoint[] }, 'wire'>

export const inputHandle = (name: string) => `in:${name}`
export const outputHandle = (index: number) => `out:${index}`
export const groupFlowId = (id: number) => `group:${id}`

/** The id of the group that a flow node stands for, or null for a node. */
export function groupIdOf(flowId: string): number | null {
  return flowId.startsWith('group:') ? Number(flowId.slice('group:'.length)) : null
}

export function handleInput(handle: string | null | undefined): string | null {
  return handle?.startsWith('in:') ? handle.slice('in:'.length) : null
}

export function handleOutput(handle: string | null | undefined): number | null {
  return handle?.startsWith('out:') ? Number(handle.slice('out:'.length)) : null
}

/** Where xyflow puts a node that lies at a point of the document, and back. */
export const toFlow = ({ x, y }: Point): Point => ({ x, y: y - TITLE_HEIGHT })
export const fromFlow = ({ x, y }: Point): Point => ({ x, y: y + TITLE_HEIGHT })

/** What the view adds to a node. */
export interface Overlay {
  readonly selected: boolean
  readonly position: Point | undefined
  readonly size: Size | undefined
  readonly measured: Size | undefined
}

interface Made {
  readonly spec: NodeSpec | undefined
  readonly overlay: Overlay
  readonly flow: NodeFlow
}

const made = new WeakMap<GraphNode, Made>()

/** The flow node of a node; the same object as long as nothing about it changes. */
export function flowOf(node: GraphNode, specs: Specs, overlay: Overlay): NodeFlow {
  const spec = specs[node.type]
  const known = made.get(node)
  if (known && known.spec === spec && sameOverlay(known.overlay, overlay)) return known.flow
  const flow = makeFlow(node, spec, overlay)
  made.set(node, { spec, overlay, flow })
  return flow
}

function sameOverlay(one: Overlay, other: Overlay): boolean {
  return (
    one.selected === other.selected &&
    one.position === other.position &&
    one.size === other.size &&
    one.measured === other.measured
  )
}

function makeFlow(node: GraphNode, spec: NodeSpec | undefined, overlay: Overlay): NodeFlow {
  const expected = expectedSize(node, spec)
  const { width, height } = overlay.size ?? {
    width: expected.width,
    height: (node.size?.height ?? 0) + TITLE_HEIGHT,
  }
  const style = node.collapsed ? { maxWidth: expected.width } : { width, minHeight: height }
  return {
    id: node.id,
    type: 'node',
    position: overlay.position ?? toFlow(node.position),
    data: { node },
    selected: overlay.selected,
    style,
    ariaLabel: node.title ?? spec?.title ?? node.type,
    ...(overlay.measured
      ? { measured: overlay.measured }
      : {
          initialWidth: expected.width,
          initialHeight: expected.height,
          handles: expectedHandles(node, spec, expected.width),
        }),
  }
}

/** Where the sockets of a node that was never drawn are expected. */
function expectedHandles(node: GraphNode, spec: NodeSpec | undefined, width: number): NodeHandle[] {
  const inputs = [...inputHeights(node, spec)].map(([name, y]) => ({
    id: inputHandle(name),
    type: 'target' as const,
    position: Position.Left,
    x: -5,
    y: y - 5,
    width: 10,
    height: 10,
  }))
  const outputs = anatomyOf(node, spec).outputs.map((_, row) => ({
    id: outputHandle(row),
    type: 'source' as const,
    position: Position.Right,
    x: width - 5,
    y: socketHeight(node, row) - 5,
    width: 10,
    height: 10,
  }))
  return [...inputs, ...outputs]
}

export function groupFlowOf(group: Group, overlay: Overlay): GroupFlow {
  const { x, y, width, height } = group.bounds
  const size = overlay.size ?? { width, height }
  return {
    id: groupFlowId(group.id),
    type: 'frame',
    position: overlay.position ?? { x, y },
    data: { group },
    selected: overlay.selected,
    zIndex: -1,
    style: size,
    dragHandle: '.group-grip',
    initialWidth: width,
    initialHeight: height,
    ...(overlay.measured && { measured: overlay.measured }),
    ariaLabel: group.title,
  }
}

export function wireOf(link: Link, way: readonly Waypoint[], selected: boolean): WireFlow {
  return {
    id: String(link.id),
    type: 'wire',
    source: link.source,
    sourceHandle: outputHandle(link.output),
    target: link.target,
    targetHandle: inputHandle(link.input),
    data: { type: link.type, way },
    ariaLabel: link.type,
    selected,
  }
}
