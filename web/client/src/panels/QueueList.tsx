import { ActionIcon, Button, Tooltip, VisuallyHidden } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import type { JobItem } from '../api/types'
import { IconPlayerStop, IconX } from '../icons'
import { cancelQueued, emptyQueue, stopJob } from '../run/jobs'
import { useRun } from '../run/store'
import { usePercentOf } from './RunStatus'
import { summaryOf } from './summary'

/** The jobs that run and wait; nothing if there are none. */
export function QueueList() {
  const { t } = useTranslation()
  const { running, pending } = useRun((run) => run.queue)
  if (running.length === 0 && pending.length === 0) return null
  return (
    <section className="side-section" aria-label={t('panel.queue.heading')}>
      <header>
        <h2>{t('panel.queue.heading')}</h2>
        {pending.length > 0 && (
          <Button variant="subtle" color="gray" size="compact-xs" onClick={() => void emptyQueue()}>
            {t('panel.queue.clear')}
          </Button>
        )}
      </header>
      <ol className="job-list">
        {running.map((job) => (
          <RunningRow key={job.jobId} job={job} />
        ))}
        {pending.map((job) => (
          <li key={job.jobId} className="job-row">
            <VisuallyHidden>{t('panel.queue.waiting')}</VisuallyHidden>
            <JobName job={job} />
            <JobButton
              icon={IconX}
              label={t('panel.queue.cancel')}
              onClick={() => void cancelQueued(job.jobId)}
            />
          </li>
        ))}
      </ol>
    </section>
  )
}

function RunningRow({ job }: { job: JobItem }) {
  const { t } = useTranslation()
  const percent = usePercentOf(job.jobId)
  return (
    <li className="job-row running">
      <VisuallyHidden>{t('panel.queue.running')}</VisuallyHidden>
      <JobName job={job} />
      {percent !== null && <span className="run-percent">{t('panel.percent', { percent })}</span>}
      <JobButton
        icon={IconPlayerStop}
        label={t('panel.queue.interrupt')}
        onClick={() => void stopJob(job.jobId)}
      />
    </li>
  )
}

function JobName({ job }: { job: JobItem }) {
  const { t } = useTranslation()
  const summary = summaryOf(job)
  return (
    <span className="job-name" title={summary}>
      {summary === '' ? t('panel.queue.job', { number: job.number }) : summary}
    </span>
  )
}

interface JobButtonProps {
  readonly icon: typeof IconX
  readonly label: string
  readonly onClick: () => void
}

function JobButton({ icon: Icon, label, onClick }: JobButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon size={24} aria-label={label} onClick={onClick}>
        <Icon size={14} stroke={1.8} />
      </ActionIcon>
    </Tooltip>
  )
}
