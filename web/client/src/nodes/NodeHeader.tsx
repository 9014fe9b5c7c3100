import {
  IconAlertTriangle,
  IconArrowForwardUp,
  IconChevronDown,
  IconChevronRight,
  IconCheck,
  IconVolumeOff,
} from '../icons'
import { useTranslation } from 'react-i18next'

import { useView } from '../canvas/view'
import { retitled, toggledCollapse } from '../graph/actions'
import { edit, useGraph } from '../graph/store'
import { useRun } from '../run/store'
import { type GraphNode, MODE, type NodeId, type NodeSpec } from '../types'
import { ProgressBar } from './ProgressBar'
import { titleOf } from './title'

interface Props {
  readonly node: GraphNode
  readonly spec: NodeSpec | undefined
}

/** The title bar: fold, name, how the node fares. */
export function NodeHeader({ node, spec }: Props) {
  const { t } = useTranslation()
  const title = useGraph((graph) => titleOf(node, spec, graph.workflow))
  const renaming = useView((view) => view.renaming === node.id)
  const Chevron = node.collapsed ? IconChevronRight : IconChevronDown
  return (
    <header className="node-header">
      <button
        type="button"
        className="node-fold nodrag"
        aria-label={t(node.collapsed ? 'node.expand' : 'node.collapse', { title })}
        aria-expanded={!node.collapsed}
        onClick={() => edit((workflow) => toggledCollapse(workflow, new Set([node.id])))}
        onDoubleClick={(event) => event.stopPropagation()}
      >
        <Chevron size={13} stroke={2} />
      </button>
      {renaming ? (
        <TitleField node={node} title={title} />
      ) : (
        <h3
          title={spec?.description ? `${title}\n${spec.description}` : title}
          onDoubleClick={() => useView.setState({ renaming: node.id })}
        >
          {title}
        </h3>
      )}
      <ModeMark mode={node.mode} />
      <StatusMark id={node.id} />
      <ProgressBar id={node.id} />
    </header>
  )
}

/** The name while it is written; empty means the name of the node's type. */
function TitleField({ node, title }: { node: GraphNode; title: string }) {
  const { t } = useTranslation()
  const finish = (text: string | null) => {
    useView.setState({ renaming: null })
    if (text === null || text === title) return
    edit((workflow) => retitled(workflow, node.id, text.trim() === '' ? null : text.trim()))
  }
  return (
    <input
      className="node-title-field nodrag"
      autoFocus
      aria-label={t('node.rename')}
      defaultValue={title}
      onFocus={(event) => event.target.select()}
      onBlur={(event) => finish(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === 'Enter') event.currentTarget.blur()
        else if (event.key === 'Escape') finish(null)
      }}
    />
  )
}

function ModeMark({ mode }: { mode: number }) {
  const { t } = useTranslation()
  if (mode === MODE.muted) {
    return (
      <span className="node-mark" title={t('node.muted')}>
        <IconVolumeOff size={14} stroke={1.8} />
      </span>
    )
  }
  if (mode !== MODE.bypassed) return null
  return (
    <span className="node-mark" title={t('node.bypassed')}>
      <IconArrowForwardUp size={14} stroke={1.8} />
    </span>
  )
}

function StatusMark({ id }: { id: NodeId }) {
  const { t } = useTranslation()
  const status = useRun((run) => run.nodes[id]?.status ?? 'idle')
  const failed = useRun((run) => (run.nodes[id]?.problems.length ?? 0) > 0)
  const progress = useRun((run) => run.nodes[id]?.progress ?? null)
  if (failed) {
    return (
      <span className="node-mark failed" title={t('node.failed')}>
        <IconAlertTriangle size={14} stroke={1.8} />
      </span>
    )
  }
  if (status === 'running') {
    const counted = progress !== null && progress.max > 1
    const steps = counted ? `${progress.value}/${progress.max}` : t('node.running')
    return <span className="node-mark running">{steps}</span>
  }
  if (status !== 'done' && status !== 'cached') return null
  return (
    <span className="node-mark done" title={status === 'cached' ? t('node.cached') : undefined}>
      <IconCheck size={14} stroke={2} />
    </span>
  )
}
