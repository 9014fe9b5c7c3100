import { NodeResizeControl, useUpdateNodeInternals, type NodeProps } from '@xyflow/react'
import { memo, useEffect } from 'react'

import type { NodeFlow } from '../canvas/flow'
import { useView } from '../canvas/view'
import { specFor } from '../catalog/primitive'
import { useCatalog } from '../catalog/store'
import { compositeOf } from '../graph/composite'
import { useGraph } from '../graph/store'
import { useRun } from '../run/store'
import { type GraphNode, MODE } from '../types'
import { FarBody } from './FarBody'
import { FoldedSockets } from './FoldedSockets'
import { InsideNote } from './InsideNote'
import { anatomyOf, hasRoomForPicture, MIN_WIDTH, TITLE_HEIGHT } from './metrics'
import { NodeHeader } from './NodeHeader'
import { NodeProblems } from './NodeProblems'
import { NodeTexts } from './NodeTexts'
import { Picture } from './Picture'
import { SocketRows } from './SocketRows'
import { tintOf } from './tint'
import { WidgetRows } from './WidgetRows'
import { WidgetSkeleton } from './WidgetSkeleton'

/** Any node, drawn from its spec; one whose type is unknown shows the sockets of its file. */
export const NodeView = memo(function NodeView({
  id,
  data,
  selected,
  height,
}: NodeProps<NodeFlow>) {
  const { node } = data
  const spec = useNodeSpec(node)
  const isKnown = useCatalog((catalog) => catalog.state === 'ready')
  const inside = useGraph((graph) => compositeOf(node.type, graph.workflow)?.count)
  const isMissing = isKnown && !spec && inside === undefined
  const far = useView((view) => view.distance > 0)
  const status = useRun((run) => run.nodes[id]?.status ?? 'idle')
  const failed = useRun((run) => (run.nodes[id]?.problems.length ?? 0) > 0)
  const anatomy = anatomyOf(node, spec)
  const opened = useGraph((graph) => graph.opened)
  const { sockets, outputs } = anatomy
  const rows = Math.max(sockets.length, outputs.length)
  useMeasuredAgain(id, `${opened} ${far} ${node.collapsed} ${rows} ${spec !== undefined}`)
  return (
    <article
      className="node"
      data-selected={selected || undefined}
      data-status={status}
      data-failed={failed || undefined}
      data-missing={isMissing || undefined}
      data-virtual={spec?.virtual === true ? true : undefined}
      data-mode={modeName(node)}
      data-far={far || undefined}
      data-folded={node.collapsed || undefined}
      style={tintOf(node)}
      aria-busy={status === 'running'}
    >
      {far && !node.collapsed ? (
        <FarBody node={node} spec={spec} height={height} />
      ) : (
        <>
          <NodeHeader node={node} spec={spec} />
          {node.collapsed ? (
            <FoldedSockets anatomy={anatomy} />
          ) : (
            <>
              <SocketRows node={node} anatomy={anatomy} />
              {spec ? (
                <WidgetRows node={node} spec={spec} widgets={anatomy.widgets} />
              ) : (
                !isKnown && <WidgetSkeleton node={node} />
              )}
              <Picture id={id} hasRoom={spec !== undefined && hasRoomForPicture(node, anatomy)} />
              {!spec && inside !== undefined && <InsideNote count={inside} />}
              <NodeTexts id={id} />
              <NodeProblems id={id} type={isMissing ? node.type : null} />
            </>
          )}
        </>
      )}
      {selected && !far && !node.collapsed && (
        <NodeResizeControl
          className="node-resize"
          minWidth={MIN_WIDTH}
          minHeight={TITLE_HEIGHT * 2}
          aria-hidden
        />
      )}
    </article>
  )
})

function useNodeSpec(node: GraphNode) {
  const specs = useCatalog((catalog) => catalog.specs)
  return useGraph((graph) => specFor(node, graph.workflow, specs))
}

/** Have xyflow measure the node again where its sockets moved or its size was forgotten. */
function useMeasuredAgain(id: string, layout: string): void {
  const measure = useUpdateNodeInternals()
  const far = useView((view) => view.distance > 0)
  useEffect(() => {
    if (!far) measure(id)
  }, [measure, id, layout, far])
}

function modeName(node: GraphNode): 'muted' | 'bypassed' | undefined {
  if (node.mode === MODE.muted) return 'muted'
  return node.mode === MODE.bypassed ? 'bypassed' : undefined
}
