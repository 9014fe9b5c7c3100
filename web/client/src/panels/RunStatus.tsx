import { useTranslation } from 'react-i18next'

import { useCatalog } from '../catalog/store'
import { nodeOf } from '../graph/document'
import { useGraph } from '../graph/store'
import { titleOf } from '../nodes/title'
import { shownBy } from '../run/nodes'
import { type JobId, leadOf, progressOf, totalProgress } from '../run/state'
import { useRun } from '../run/store'

/** What runs now and how far it is, and how many jobs wait. */
export function RunStatus() {
  const { t } = useTranslation()
  const percent = usePercent()
  const title = useRunningTitle()
  const waiting = useRun((run) => run.remaining - run.jobs.length)
  return (
    <div className="run-status" role="status">
      {title !== null && <span className="run-node">{title}</span>}
      {percent !== null && <span className="run-percent">{t('panel.percent', { percent })}</span>}
      {waiting > 0 && <span className="run-waiting">{t('panel.waiting', { count: waiting })}</span>}
    </div>
  )
}

/** How much of the job that the nodes show is done, in whole percent. */
export function usePercent(): number | null {
  return useRun((run) => {
    const progress = totalProgress(run)
    return progress === null ? null : Math.floor(progress * 100)
  })
}

/** How much of a job is done, in whole percent; null while it does not run. */
export function usePercentOf(jobId: JobId): number | null {
  return useRun(({ jobs }) => {
    const job = jobs.find(({ id }) => id === jobId)
    return job === undefined ? null : Math.floor(progressOf(job) * 100)
  })
}

/** The name of the running node, where the editor shows the workflow that runs. */
function useRunningTitle(): string | null {
  const id = useRun((run) => {
    const lead = leadOf(run)
    const node = lead?.node ?? null
    return lead === null || node === null || run.detached.has(lead.id) ? null : shownBy(node)
  })
  const node = useGraph((graph) => (id === null ? undefined : nodeOf(graph.workflow, id)))
  const spec = useCatalog((catalog) => (node ? catalog.specs[node.type] : undefined))
  return node ? titleOf(node, spec) : null
}
