import { isList } from '../graph/reading'
import type { GraphNode } from '../types'

/** Grey bars where the widgets will be, until the worker has told what they are. */
export function WidgetSkeleton({ node }: { node: GraphNode }) {
  const count = isList(node.values ?? undefined) ? (node.values as readonly unknown[]).length : 0
  if (count === 0) return null
  return (
    <div className="node-widgets skeleton" aria-hidden>
      {Array.from({ length: count }, (_, row) => (
        <div key={row} className="widget-skeleton" />
      ))}
    </div>
  )
}
