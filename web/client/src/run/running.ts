/** The jobs that run: what a message changes about one of them, whichever worker it is on. */

import { neededBy } from './needed'
import type { JobId, NodeId, RunningJob, RunState } from './state'

/** The state with a changed job, which begins if it was not known; the same if nothing changes. */
function withJob(state: RunState, id: JobId, change: (job: RunningJob) => RunningJob): RunState {
  const known = state.jobs.find((job) => job.id === id)
  const job = change(known ?? { id, node: null, needed: null, finished: new Set(), part: 0 })
  if (job === known) return state
  const jobs = known
    ? state.jobs.map((other) => (other.id === id ? job : other))
    : [...state.jobs, job]
  return { ...state, jobs }
}

export function withoutJob(state: RunState, id: JobId): RunState {
  const jobs = state.jobs.filter((job) => job.id !== id)
  return jobs.length === state.jobs.length ? state : { ...state, jobs }
}

/** A job begins, perhaps once more after its worker died. */
export function withStarted(state: RunState, id: JobId): RunState {
  const item = [...state.queue.running, ...state.queue.pending].find((job) => job.jobId === id)
  const needed = item === undefined ? null : neededBy(item)
  return withJob(state, id, () => ({ id, node: null, needed, finished: new Set(), part: 0 }))
}

/** More nodes of a job count as finished, and perhaps another node runs. */
export function withFinished(
  state: RunState,
  id: JobId,
  finished: readonly NodeId[],
  node?: NodeId,
): RunState {
  return withJob(state, id, (job) => {
    const isNews = finished.some((one) => !job.finished.has(one))
    const runs = node ?? job.node
    if (!isNews && runs === job.node) return job
    const all = isNews ? new Set([...job.finished, ...finished]) : job.finished
    const isOver = runs !== null && (runs !== job.node || all.has(runs))
    return { ...job, finished: all, node: runs, part: isOver ? 0 : job.part }
  })
}

/** The running node of a job has come so far; a maximum of 1 or less counts nothing. */
export function withPart(state: RunState, id: JobId, value: number, max: number): RunState {
  if (max <= 1) return state
  const part = Math.min(value / max, 1)
  return withJob(state, id, (job) => (job.part === part ? job : { ...job, part }))
}

/** The jobs learn from the queue which nodes they need. */
export function withNeeded(state: RunState): RunState {
  return state.jobs.reduce((all, { id }) => {
    const item = [...all.queue.running, ...all.queue.pending].find((one) => one.jobId === id)
    if (item === undefined) return all
    return withJob(all, id, (job) =>
      job.needed === null ? { ...job, needed: neededBy(item) } : job,
    )
  }, state)
}
