import { useMemo } from 'react'
import { useShallow } from 'zustand/react/shallow'

import { useCatalog } from '../catalog/store'
import { useGraph } from '../graph/store'
import { type FlowNode, flowOf, groupFlowId, groupFlowOf, type WireFlow, wireOf } from './flow'
import { useView } from './view'

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
  return useMemo(() => links.map((link) => wireOf(link, selected.has(link.id))), [links, selected])
}
