/** What can be done to single jobs, in the queue and in the history. */

import { cancelJobs, clearHistory, clearQueue, deleteHistory, interrupt } from '../api/client'
import { refreshHistory, refreshQueue } from './start'
import type { JobId } from './state'
import { dispatchFailure } from './store'

export function stopJob(jobId: JobId): Promise<void> {
  return attempt(() => interrupt(jobId), refreshQueue)
}

export function cancelQueued(jobId: JobId): Promise<void> {
  return attempt(() => cancelJobs([jobId]), refreshQueue)
}

export function emptyQueue(): Promise<void> {
  return attempt(clearQueue, refreshQueue)
}

/** Take a job out of the history; its files stay where they are. */
export function forgetJob(jobId: JobId): Promise<void> {
  return attempt(() => deleteHistory([jobId]), refreshHistory)
}

export function emptyHistory(): Promise<void> {
  return attempt(clearHistory, refreshHistory)
}

async function attempt(action: () => Promise<void>, refresh: () => void): Promise<void> {
  try {
    await action()
    refresh()
  } catch (error) {
    dispatchFailure(error)
  }
}
