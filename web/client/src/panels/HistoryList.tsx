import { Button, Tooltip } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'

import { IconPhotoSpark } from '../icons'
import { emptyHistory } from '../run/jobs'
import { useRun } from '../run/store'
import { Empty } from './Empty'
import { HistoryCard } from './HistoryCard'
import { viewPictures } from './store'
import { picturesOf } from './summary'
import { useNow } from './useNow'

/** The jobs that have ended, newest first, with what they made. */
export function HistoryList() {
  const { t } = useTranslation()
  const history = useRun((run) => run.history)
  const busy = useRun((run) => run.remaining > 0)
  const now = useNow(history)
  const pictures = useMemo(() => history.flatMap(picturesOf), [history])
  if (history.length === 0) {
    if (busy) return null
    return (
      <Empty
        icon={IconPhotoSpark}
        title={t('panel.history.empty')}
        hint={t('panel.history.emptyHint')}
      />
    )
  }
  return (
    <section className="side-section" aria-label={t('panel.history.heading')}>
      <header>
        <h2>{t('panel.history.heading')}</h2>
        <Tooltip label={t('panel.history.clearHint')}>
          <Button
            variant="subtle"
            color="gray"
            size="compact-xs"
            onClick={() => void emptyHistory()}
          >
            {t('panel.history.clear')}
          </Button>
        </Tooltip>
      </header>
      <ul className="history">
        {history.map((entry) => (
          <HistoryCard
            key={entry.job.jobId}
            entry={entry}
            now={now}
            onView={() => {
              const index = pictures.findIndex(({ jobId }) => jobId === entry.job.jobId)
              viewPictures(pictures, Math.max(index, 0))
            }}
          />
        ))}
      </ul>
    </section>
  )
}
