/** What xyflow reports, brought into the view while it goes on and into the document at its end. */

import type { EdgeChange, NodeChange } from '@xyflow/react'

import { changedGroup, moved, resized } from '../graph/actions'
import { edit, useGraph } from '../graph/store'
import { TITLE_HEIGHT } from '../nodes/metrics'
import type { Group, NodeId, Point, Size, Workflow } from '../types'
import { type FlowNode, fromFlow, groupFlowId, groupIdOf, toFlow, type WireFlow } from './flow'
import { useView } from './view'

type Change = NodeChange<FlowNode>
type PositionChange = Extract<Change, { type: 'position' }>
type DimensionChange = Extract<Change, { type: 'dimensions' }>

export function onNodesChange(changes: Change[]): void {
  const selects = changes.filter((change) => change.type === 'select')
  const positions = changes.filter((change) => change.type === 'position')
  const dimensions = changes.filter((change) => change.type === 'dimensions')
  if (selects.length > 0) changeSelection(selects)
  if (dimensions.length > 0) changeSizes(dimensions)
  if (positions.length > 0) changePositions(positions)
}

export function onEdgesChange(changes: EdgeChange<WireFlow>[]): void {
  const links = new Set(useGraph.getState().selectedLinks)
  for (const change of changes) {
    if (change.type !== 'select') continue
    if (change.selected) links.add(Number(change.id))
    else links.delete(Number(change.id))
  }
  useGraph.setState({ selectedLinks: links })
}

function changeSelection(changes: readonly { id: string; selected: boolean }[]): void {
  const selected = new Set(useGraph.getState().selected)
  const selectedGroups = new Set(useGraph.getState().selectedGroups)
  for (const { id, selected: isSelected } of changes) {
    const group = groupIdOf(id)
    if (group === null) toggle(selected, id, isSelected)
    else toggle(selectedGroups, group, isSelected)
  }
  useGraph.setState({ selected, selectedGroups })
}

function toggle<T>(set: Set<T>, item: T, isIn: boolean): void {
  if (isIn) set.add(item)
  else set.delete(item)
}

// ---- Positions ------------------------------------------------------------------------------

function changePositions(changes: readonly PositionChange[]): void {
  const dragged = new Map(useView.getState().dragged)
  for (const { id, position } of changes) {
    if (!position) continue
    const group = groupIdOf(id)
    if (group !== null) carryAlong(dragged, group, position)
    dragged.set(id, position)
  }
  if (changes.some((change) => change.dragging === true)) {
    useView.setState({ dragged })
  } else {
    useView.setState({ dragged: new Map() })
    const isNudge = changes.every((change) => change.dragging === undefined)
    edit((workflow) => dropped(workflow, dragged), isNudge ? 'nudge' : null)
  }
}

/** A group takes along what lies in it. */
function carryAlong(dragged: Map<string, Point>, id: number, to: Point): void {
  const { workflow } = useGraph.getState()
  const group = workflow.groups.find((other) => other.id === id)
  if (!group) return
  const by = { x: to.x - group.bounds.x, y: to.y - group.bounds.y }
  for (const node of nodesIn(workflow, group)) {
    const from = toFlow(node.position)
    dragged.set(node.id, { x: from.x + by.x, y: from.y + by.y })
  }
}

/** The nodes whose middle lies in a group. */
export function nodesIn(workflow: Workflow, { bounds }: Group) {
  const { measured } = useView.getState()
  return workflow.nodes.filter((node) => {
    const size = measured.get(node.id) ?? node.size ?? { width: 0, height: 0 }
    const x = node.position.x + size.width / 2 - bounds.x
    const y = node.position.y - TITLE_HEIGHT + size.height / 2 - bounds.y
    return x >= 0 && y >= 0 && x <= bounds.width && y <= bounds.height
  })
}

function dropped(workflow: Workflow, dragged: ReadonlyMap<string, Point>): Workflow {
  const positions = new Map<NodeId, Point>()
  let changed = workflow
  for (const [id, at] of dragged) {
    const group = groupIdOf(id)
    if (group === null) positions.set(id, fromFlow(at))
    else changed = movedGroup(changed, group, at)
  }
  return moved(changed, positions)
}

function movedGroup(workflow: Workflow, id: number, { x, y }: Point): Workflow {
  const group = workflow.groups.find((other) => other.id === id)
  if (!group || (group.bounds.x === x && group.bounds.y === y)) return workflow
  return changedGroup(workflow, id, { bounds: { ...group.bounds, x, y } })
}

// ---- Sizes ----------------------------------------------------------------------------------

function changeSizes(changes: readonly DimensionChange[]): void {
  const measured = new Map(useView.getState().measured)
  const sizes = new Map(useView.getState().resized)
  for (const { id, dimensions, resizing } of changes) {
    if (!dimensions) continue
    if (resizing === undefined) measured.set(id, dimensions)
    else sizes.set(id, dimensions)
  }
  const ended = changes.filter((change) => change.resizing === false)
  useView.setState({ measured, resized: sizes })
  if (ended.length > 0) finishResizing(ended.map((change) => change.id))
}

function finishResizing(ids: readonly string[]): void {
  const { resized: sizes } = useView.getState()
  edit((workflow) =>
    ids.reduce((changed, id) => {
      const size = sizes.get(id)
      return size ? withSize(changed, id, size) : changed
    }, workflow),
  )
  useView.setState({ resized: new Map() })
}

function withSize(workflow: Workflow, flowId: string, size: Size): Workflow {
  const id = groupIdOf(flowId)
  if (id === null) {
    const node = workflow.nodes.find((other) => other.id === flowId)
    if (!node) return workflow
    const below = { width: size.width, height: Math.max(size.height - TITLE_HEIGHT, 0) }
    return resized(workflow, flowId, node.position, below)
  }
  const group = workflow.groups.find((other) => groupFlowId(other.id) === flowId)
  return group ? changedGroup(workflow, id, { bounds: { ...group.bounds, ...size } }) : workflow
}
