/** What can be done to the selected nodes, wires and groups together. */

import i18next from 'i18next'

import { around, boxOf } from '../canvas/viewport'
import { withGroup, withoutGroups, withoutLinks, withoutNodes } from '../graph/actions'
import { edit, useGraph } from '../graph/store'
import type { Rect } from '../types'

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
  const bounds = padded(around(nodes.map(boxOf)))
  edit((before) => withGroup(before, { title, bounds, color: null }))
}

/** On the grid to which nodes snap, so that a group and what it carries stay on it together. */
function onGrid(length: number): number {
  return Math.round(length / 10) * 10
}

function padded({ x, y, width, height }: Rect): Rect {
  return {
    x: onGrid(x - GROUP_PADDING),
    y: onGrid(y - GROUP_PADDING - GROUP_TITLE),
    width: onGrid(width + 2 * GROUP_PADDING),
    height: onGrid(height + 2 * GROUP_PADDING + GROUP_TITLE),
  }
}
