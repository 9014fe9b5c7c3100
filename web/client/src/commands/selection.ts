/** What can be done to the selected nodes, wires and groups together. */

import i18next from 'i18next'

import { useView } from '../canvas/view'
import { withGroup, withoutGroups, withoutLinks, withoutNodes } from '../graph/actions'
import { edit, useGraph } from '../graph/store'
import { TITLE_HEIGHT } from '../nodes/metrics'
import type { GraphNode, Rect } from '../types'

const GROUP_PADDING = 20
const GROUP_TITLE = 36

export function hasSelection(): boolean {
  const { selected, selectedLinks, selectedGroups } = useGraph.getState()
  return selected.size + selectedLinks.size + selectedGroups.size > 0
}

export function deleteSelection(): void {
  const { selected, selectedLinks, selectedGroups } = useGraph.getState()
  edit((workflow) =>
    withoutGroups(withoutNodes(withoutLinks(workflow, selectedLinks), selected), selectedGroups),
  )
}

export function selectAll(): void {
  const { workflow } = useGraph.getState()
  useGraph.setState({
    selected: new Set(workflow.nodes.map((node) => node.id)),
    selectedGroups: new Set(workflow.groups.map((group) => group.id)),
  })
}

/** Draw a group around the selected nodes. */
export function groupSelection(): void {
  const { workflow, selected } = useGraph.getState()
  const nodes = workflow.nodes.filter((node) => selected.has(node.id))
  if (nodes.length === 0) return
  const title = i18next.t('canvas.newGroup')
  edit((before) => withGroup(before, { title, bounds: around(nodes), color: null }))
}

/** On the grid to which nodes snap, so that a group and what it carries stay on it together. */
function onGrid(length: number): number {
  return Math.round(length / 10) * 10
}

function around(nodes: readonly GraphNode[]): Rect {
  const { measured } = useView.getState()
  const boxes = nodes.map((node) => {
    const size = measured.get(node.id)
    const width = size?.width ?? node.size?.width ?? 200
    const height = size?.height ?? (node.size?.height ?? 100) + TITLE_HEIGHT
    return { x: node.position.x, y: node.position.y - TITLE_HEIGHT, width, height }
  })
  const left = onGrid(Math.min(...boxes.map((box) => box.x)) - GROUP_PADDING)
  const top = onGrid(Math.min(...boxes.map((box) => box.y)) - GROUP_PADDING - GROUP_TITLE)
  const right = onGrid(Math.max(...boxes.map((box) => box.x + box.width)) + GROUP_PADDING)
  const bottom = onGrid(Math.max(...boxes.map((box) => box.y + box.height)) + GROUP_PADDING)
  return { x: left, y: top, width: right - left, height: bottom - top }
}
