import './banner.css'

import { Loader } from '@mantine/core'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'

import { IconAlertOctagon } from '../icons'
import type { RunState } from '../run/state'
import { useRun } from '../run/store'

interface Notice {
  readonly tone: 'warning' | 'danger'
  readonly title: string
  readonly hint: string
  /** It is being worked on, so that waiting helps. */
  readonly busy: boolean
}

/** Says what stands in the way: no server, or a worker that is not ready. */
export function Banner() {
  const { t } = useTranslation()
  const connection = useRun((run) => run.connection)
  const worker = useRun((run) => run.worker)
  const notice = noticeOf(t, connection, worker)
  if (notice === null) return null
  return (
    <div className="banner" data-tone={notice.tone} role="status">
      {notice.busy ? (
        <Loader size={13} color="currentColor" />
      ) : (
        <IconAlertOctagon size={16} stroke={1.8} />
      )}
      <strong>{notice.title}</strong>
      <span>{notice.hint}</span>
    </div>
  )
}

function noticeOf(
  t: TFunction,
  connection: RunState['connection'],
  worker: RunState['worker'],
): Notice | null {
  if (connection === 'lost') {
    const [title, hint] = [t('panel.connection.lost'), t('panel.connection.lostHint')]
    return { tone: 'danger', title, hint, busy: true }
  }
  // That the worker is starting is told on the canvas, where its nodes are missed.
  if (connection === 'connecting' || worker.state === 'ready' || worker.state === 'starting') {
    return null
  }
  const title = t(`panel.worker.${worker.state}`)
  const failed = worker.state === 'failed'
  return { tone: failed ? 'danger' : 'warning', title, hint: worker.detail, busy: !failed }
}
