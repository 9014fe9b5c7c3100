/** Moving the view over the canvas. */

import { getViewportForBounds } from '@xyflow/react'

import { useCatalog } from '../catalog/store'
import { useGraph } from '../graph/store'
import { expectedSize } from '../nodes/metrics'
import type { GraphNode, Rect } from '../types'
import { toFlow } from './flow'
import { useView } from './view'

const PADDING = 0.08
const MIN_ZOOM = 0.08
const DURATION_MS = 260

/** Show the whole workflow, never larger than life. */
export function fitView(duration = DURATION_MS): void {
  const { nodes, groups } = useGraph.getState().workflow
  show([...nodes.map(boxOf), ...groups.map((group) => group.bounds)], duration, PADDING)
}

/** Show some nodes, with room around them. */
export function fitNodes(nodes: readonly GraphNode[]): void {
  show(nodes.map(boxOf), DURATION_MS, 0.3)
}

export function zoomBy(factor: number): void {
  const { flow } = useView.getState()
  if (flow) void flow.zoomTo(flow.getZoom() * factor, { duration: 150 })
}

/** xyflow's own way waits until every node was drawn, which those out of sight never are. */
function show(boxes: readonly Rect[], duration: number, padding: number): void {
  const { flow } = useView.getState()
  const canvas = document.querySelector('.react-flow')
  if (!flow || !canvas || boxes.length === 0) return
  const { clientWidth, clientHeight } = canvas
  const bounds = around(boxes)
  const to = getViewportForBounds(bounds, clientWidth, clientHeight, MIN_ZOOM, 1, padding)
  void flow.setViewport(to, { duration })
}

/** The place that a node takes on the canvas, as drawn or as expected. */
export function boxOf(node: GraphNode): Rect {
  const size = useView.getState().measured.get(node.id)
  const { specs } = useCatalog.getState()
  return { ...toFlow(node.position), ...(size ?? expectedSize(node, specs[node.type])) }
}

/** The smallest box around boxes. */
export function around(boxes: readonly Rect[]): Rect {
  const x = Math.min(...boxes.map((box) => box.x))
  const y = Math.min(...boxes.map((box) => box.y))
  const right = Math.max(...boxes.map((box) => box.x + box.width))
  const bottom = Math.max(...boxes.map((box) => box.y + box.height))
  return { x, y, width: right - x, height: bottom - y }
}
