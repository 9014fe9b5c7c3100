import { Panel, useReactFlow, useStore } from '@xyflow/react'
import { IconMaximize, IconMinus, IconPlus } from '../icons'
import { useTranslation } from 'react-i18next'

import { fitView } from './viewport'

/** Zoom in, out and to everything, beside the map. */
export function CanvasTools() {
  const { t } = useTranslation()
  const { zoomIn, zoomOut, zoomTo } = useReactFlow()
  const zoom = useStore((store) => Math.round(store.transform[2] * 100))
  return (
    <Panel position="bottom-left" className="canvas-tools">
      <button
        type="button"
        aria-label={t('canvas.zoomOut')}
        title={t('canvas.zoomOut')}
        onClick={() => void zoomOut({ duration: 150 })}
      >
        <IconMinus size={15} stroke={1.8} />
      </button>
      <button type="button" className="zoom" onClick={() => void zoomTo(1, { duration: 200 })}>
        {zoom}%
      </button>
      <button
        type="button"
        aria-label={t('canvas.zoomIn')}
        title={t('canvas.zoomIn')}
        onClick={() => void zoomIn({ duration: 150 })}
      >
        <IconPlus size={15} stroke={1.8} />
      </button>
      <button
        type="button"
        aria-label={t('canvas.fit')}
        title={t('canvas.fit')}
        onClick={() => fitView()}
      >
        <IconMaximize size={15} stroke={1.8} />
      </button>
    </Panel>
  )
}
