/** Open the workflow that a finished job was queued with. */

import { notifications } from '@mantine/notifications'
import i18next from 'i18next'

import { getJobWorkflow } from '../api/client'
import { parseWorkflow } from '../graph/serial'
import type { JobId } from '../run/state'
import { dispatchFailure, useRun } from '../run/store'
import { openWithWayBack } from './openWithWayBack'

/** Show the job's workflow with the pictures that the job made. */
export async function openJob(jobId: JobId): Promise<void> {
  try {
    const document = await getJobWorkflow(jobId)
    if (document === null) {
      notifications.show({ message: i18next.t('panel.history.noWorkflow'), color: 'yellow' })
      return
    }
    const entry = useRun.getState().history.find(({ job }) => job.jobId === jobId)
    openWithWayBack(parseWorkflow(document), null, entry?.outputs)
  } catch (error) {
    dispatchFailure(error)
  }
}
