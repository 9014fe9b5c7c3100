import { Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { isChanged, useGraph } from '../graph/store'

/** The workflow's name, which can be written over, and a dot while there is something to save. */
export function WorkflowName() {
  const { t } = useTranslation()
  const name = useGraph((graph) => graph.name)
  const changed = useGraph(isChanged)
  const rename = (text: string) => useGraph.setState({ name: text.trim() || null })
  return (
    <div className="workflow-name">
      <div className="workflow-name-sizer" data-value={name ?? t('panel.unnamed')}>
        <input
          key={name}
          aria-label={t('panel.rename')}
          placeholder={t('panel.unnamed')}
          defaultValue={name ?? ''}
          spellCheck={false}
          maxLength={120}
          size={1}
          onInput={({ currentTarget }) => {
            const sizer = currentTarget.parentElement
            if (sizer) sizer.dataset.value = currentTarget.value || t('panel.unnamed')
          }}
          onBlur={({ currentTarget }) => rename(currentTarget.value)}
          onKeyDown={({ key, currentTarget }) => {
            if (key === 'Enter') currentTarget.blur()
            if (key !== 'Escape') return
            currentTarget.value = name ?? ''
            currentTarget.blur()
          }}
        />
      </div>
      {changed && (
        <Tooltip label={t('panel.unsaved')}>
          <span className="unsaved" role="img" aria-label={t('panel.unsaved')} />
        </Tooltip>
      )}
    </div>
  )
}
