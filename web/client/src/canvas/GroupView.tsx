import { type NodeProps, NodeResizeControl } from '@xyflow/react'
import { type CSSProperties, memo } from 'react'
import { useTranslation } from 'react-i18next'

import { changedGroup } from '../graph/actions'
import { edit } from '../graph/store'
import type { GroupFlow } from './flow'

/** A titled area behind nodes; moving it by its title takes them along. */
export const GroupView = memo(function GroupView({ data, selected }: NodeProps<GroupFlow>) {
  const { t } = useTranslation()
  const { group } = data
  const style = group.color === null ? undefined : ({ '--group': group.color } as CSSProperties)
  return (
    <section className="group" data-selected={selected || undefined} style={style}>
      <header className="group-grip">
        <input
          className="nopan"
          aria-label={t('canvas.group')}
          value={group.title}
          onChange={(event) => {
            const title = event.target.value
            edit((workflow) => changedGroup(workflow, group.id, { title }), `group ${group.id}`)
          }}
        />
      </header>
      <NodeResizeControl className="node-resize" minWidth={120} minHeight={80} aria-hidden />
    </section>
  )
})
