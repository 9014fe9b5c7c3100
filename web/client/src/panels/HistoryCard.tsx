import { ActionIcon, Menu } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import type { HistoryEntry } from '../api/types'
import {
  IconAlertTriangle,
  IconDots,
  IconFolderOpen,
  IconPhotoOff,
  IconPlayerStop,
  IconTrash,
} from '../icons'
import { forgetJob } from '../run/jobs'
import { openJob } from './openJob'
import { ago, picturesOf, summaryOf } from './summary'
import { ThumbnailImage } from './ThumbnailImage'

interface Props {
  readonly entry: HistoryEntry
  readonly onView: () => void
}

interface CardProps extends Props {
  readonly now: number
}

/** One job that has ended: its first picture, or how it failed. */
export function HistoryCard({ entry, now, onView }: CardProps) {
  const { t, i18n } = useTranslation()
  const { finishedAt, job } = entry
  const summary = summaryOf(job) || t('panel.queue.job', { number: job.number })
  return (
    <li className="history-card">
      <Thumbnail entry={entry} summary={summary} onView={onView} />
      <CardMenu entry={entry} />
      <span className="history-summary" title={summary}>
        {summary}
      </span>
      {finishedAt !== null && (
        <time className="history-time" dateTime={new Date(finishedAt).toISOString()}>
          {ago(finishedAt, now, i18n.language)}
        </time>
      )}
    </li>
  )
}

interface ThumbnailProps extends Props {
  readonly summary: string
}

function Thumbnail({ entry, summary, onView }: ThumbnailProps) {
  const { t } = useTranslation()
  const pictures = picturesOf(entry)
  const [first] = pictures
  if (first === undefined) return <NoPicture entry={entry} />
  return (
    <button
      type="button"
      className="thumbnail"
      aria-label={t('panel.history.view', { name: summary })}
      onClick={onView}
    >
      <ThumbnailImage image={first.image} />
      {pictures.length > 1 && (
        <span
          className="thumbnail-count"
          title={t('panel.history.count', { count: pictures.length })}
        >
          {pictures.length}
        </span>
      )}
    </button>
  )
}

function NoPicture({ entry }: { entry: HistoryEntry }) {
  const { t } = useTranslation()
  const [Icon, text] = entry.interrupted
    ? ([IconPlayerStop, t('panel.history.interrupted')] as const)
    : entry.succeeded
      ? ([IconPhotoOff, t('panel.history.nothing')] as const)
      : ([IconAlertTriangle, t('panel.history.failed')] as const)
  const failed = !entry.succeeded && !entry.interrupted
  return (
    <div className="thumbnail none" data-failed={failed} title={entry.error?.message}>
      <Icon size={20} stroke={1.5} />
      <span>{text}</span>
    </div>
  )
}

function CardMenu({ entry: { job } }: { entry: HistoryEntry }) {
  const { t } = useTranslation()
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon
          className="history-menu"
          size={24}
          variant="filled"
          color="dark"
          aria-label={t('panel.history.actions')}
        >
          <IconDots size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconFolderOpen size={15} stroke={1.6} />}
          onClick={() => void openJob(job.jobId)}
        >
          {t('panel.history.open')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconTrash size={15} stroke={1.6} />}
          onClick={() => void forgetJob(job.jobId)}
        >
          {t('panel.history.delete')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
