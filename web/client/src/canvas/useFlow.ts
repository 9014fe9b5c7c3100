import { useMemo } from 'react'
import { useShallow } from 'zustand/react/shallow'

import { useCatalog } from '../catalog/store'
import { EMPTY_WORKFLOW } from '../graph/document'
import { useGraph } from '../graph/store'
import { carriedWaypoints, wayOf } from '../graph/waypoints'
import type { Point, Waypoint } from '../types'
import {
  type FlowNode,
  flowOf,
  fromFlow,
  groupFlowId,
  groupFlowOf,
  type WireFlow,
  wireOf,
} from './flow'
import { useView } from './view'

const NOTHING_DRAGGED: ReadonlyMap<string, Point> = new Map()

/** The document's nodes and groups as xyflow takes them. */
export function useFlowNodes(): FlowNode[] {
  const specs = useCatalog((catalog) => catalog.specs)
  const [nodes, groups, selected, selectedGroups] = useGraph(
    useShallow((graph) => [
      graph.workflow.nodes,
      graph.workflow.groups,
      graph.selected,
      graph.selectedGroups,
    ]),
  )
  const [measured, dragged, resized] = useView(
    useShallow((view) => [view.measured, view.dragged, view.resized]),
  )
  const overlayOf = (id: string, isSelected: boolean) => ({
    selected: isSelected,
    position: dragged.get(id),
    size: resized.get(id),
    measured: measured.get(id),
  })
  return [
    ...groups.map((group) =>
      groupFlowOf(group, overlayOf(groupFlowId(group.id), selectedGroups.has(group.id))),
    ),
    ...nodes.map((node) => flowOf(node, specs, overlayOf(node.id, selected.has(node.id)))),
  ]
}

/** The document's wires as xyflow takes them. */
export function useWires(): WireFlow[] {
  const links = useGraph((graph) => graph.workflow.links)
  const selected = useGraph((graph) => graph.selectedLinks)
  const waypoints = useWaypoints()
  return useMemo(
    () => links.map((link) => wireOf(link, wayOf({ waypoints }, link), selected.has(link.id))),
    [links, waypoints, selected],
  )
}

/** The document's waypoints, on their way with the nodes that are being dragged. */
function useWaypoints(): readonly Waypoint[] {
  const hasAny = useGraph((graph) => graph.workflow.waypoints.length > 0)
  const workflow = useGraph((graph) => (hasAny ? graph.workflow : EMPTY_WORKFLOW))
  const dragged = useView((view) => (hasAny ? view.dragged : NOTHING_DRAGGED))
  return useMemo(() => {
    const positions = new Map([...dragged].map(([id, at]) => [id, fromFlow(at)]))
    return carriedWaypoints(workflow, positions)
  }, [workflow, dragged])
}
