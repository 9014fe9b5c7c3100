import { useTranslation } from 'react-i18next'

import { usePercent } from './RunStatus'

/** The running job's progress along the lower edge of the bar. */
export function ProgressLine() {
  const { t } = useTranslation()
  const percent = usePercent()
  if (percent === null) return null
  return (
    <div
      className="progress-line"
      role="progressbar"
      aria-label={t('panel.progress')}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div style={{ transform: `scaleX(${percent / 100})` }} />
    </div>
  )
}
