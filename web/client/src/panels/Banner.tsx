import './banner.css'

import { CloseButton, Loader } from '@mantine/core'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'

import type { ServerNotice } from '../api/messages'
import { IconAlertOctagon } from '../icons'
import type { RunState } from '../run/state'
import { dispatch, useRun } from '../run/store'

interface Notice {
  readonly tone: 'warning' | 'danger'
  readonly title: string
  readonly hint: string
  /** It is being worked on, so that waiting helps. */
  readonly busy: boolean
  /** Told once, and put away by whoever has read it. */
  readonly onRead?: () => void
}

/** Says what stands in the way: no server, a worker that is not ready, or a disk that fails. */
export function Banner() {
  const { t } = useTranslation()
  const connection = useRun((run) => run.connection)
  const worker = useRun((run) => run.worker)
  const [told] = useRun((run) => run.notices)
  const notice = noticeOf(t, connection, worker) ?? (told === undefined ? null : ofDisk(t, told))
  if (notice === null) return null
  const { tone, title, hint, busy, onRead } = notice
  return (
    <div className="banner" data-tone={tone} role="status">
      {busy ? (
        <Loader size={13} color="currentColor" />
      ) : (
        <IconAlertOctagon size={16} stroke={1.8} />
      )}
      <strong>{title}</strong>
      <span className="banner-hint" data-long={onRead !== undefined || undefined}>
        {hint}
      </span>
      {onRead && <CloseButton size="sm" aria-label={t('panel.notice.close')} onClick={onRead} />}
    </div>
  )
}

function ofDisk(t: TFunction, { kind, message }: ServerNotice): Notice {
  const title = t(`panel.notice.${kind}`)
  if (kind === 'disk_refuses') return { tone: 'warning', title, hint: message, busy: true }
  const onRead = () => dispatch({ type: 'notice_read', kind })
  return { tone: 'danger', title, hint: message, busy: false, onRead }
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
