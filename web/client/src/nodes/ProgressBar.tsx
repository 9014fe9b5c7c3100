import { useRun } from '../run/store'
import type { NodeId } from '../types'

/** How far the node is, below its title bar; a moving band where it does not count its steps. */
export function ProgressBar({ id }: { id: NodeId }) {
  const running = useRun((run) => run.nodes[id]?.status === 'running')
  const progress = useRun((run) => run.nodes[id]?.progress ?? null)
  if (!running) return null
  const counted = progress !== null && progress.max > 0
  return (
    <div
      className="node-progress"
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={counted ? progress.max : undefined}
      aria-valuenow={counted ? progress.value : undefined}
      data-counted={counted || undefined}
    >
      <div style={counted ? { width: `${(100 * progress.value) / progress.max}%` } : undefined} />
    </div>
  )
}
