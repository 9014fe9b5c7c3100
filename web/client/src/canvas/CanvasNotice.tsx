import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { loadCatalog, useCatalog } from '../catalog/store'
import { useGraph } from '../graph/store'

/** What there is to say about the canvas as a whole: its nodes are unknown, or it is empty. */
export function CanvasNotice() {
  const { t } = useTranslation()
  const state = useCatalog((catalog) => catalog.state)
  const error = useCatalog((catalog) => catalog.error)
  const isEmpty = useGraph(({ workflow }) => workflow.nodes.length === 0)
  if (state === 'failed') {
    return (
      <div className="canvas-notice failed" role="alert">
        {t('canvas.failed', { error })}
        <Button size="compact-xs" variant="light" onClick={() => void loadCatalog()}>
          {t('canvas.retry')}
        </Button>
      </div>
    )
  }
  if (!isEmpty) return null
  return (
    <div className="canvas-empty">
      <h2>{t('canvas.empty.title')}</h2>
      <p>{t('canvas.empty.hint')}</p>
    </div>
  )
}
