/** Connects the run store to the server, for as long as the editor is open. */

import { getHistory, getHistoryEntry, getQueue } from '../api/client'
import { claimClientId, clientIdOf, renounceClientId } from '../api/clientId'
import { ApiError } from '../api/http'
import { isBlocked, type PreviewFrame, type ServerMessage } from '../api/messages'
import { connect, type SocketListener } from '../api/socket'
import type { QueueSnapshot } from '../api/types'
import { coalesced } from './refresh'
import { recallPreviews } from './settings'
import type { JobId } from './state'
import { dispatch, dispatchFailure, useRun } from './store'

const HISTORY_LENGTH = 60

/** Listen to the server, follow its queue and history; returns how to stop. */
export function startRun(): () => void {
  recallPreviews()
  let stop: () => void = () => undefined
  let stopped = false
  void claimClientId(sessionStorage, locksOfPage()).then(({ release }) => {
    if (stopped) {
      release()
      return
    }
    const disconnect = connect(() => clientIdOf(sessionStorage), LISTENER)
    stop = () => {
      disconnect()
      release()
    }
  })
  return () => {
    stopped = true
    stop()
  }
}

/** Pages that are neither from this machine nor served over https have no locks. */
function locksOfPage(): LockManager | undefined {
  return navigator.locks
}

const LISTENER: SocketListener = {
  opened: () => {
    dispatch({ type: 'connection', state: 'open' })
    refreshQueue()
    refreshHistory()
  },
  closed: () => {
    dispatch({ type: 'connection', state: 'lost' })
  },
  takenOver: () => renounceClientId(sessionStorage),
  message: receive,
  preview: show,
}

export const refreshQueue = coalesced(() =>
  reported(async () => {
    const before = useRun.getState().queue
    const queue = await getQueue()
    dispatch({ type: 'queue_listed', queue })
    for (const jobId of goneFrom(before, queue)) await addToHistory(jobId)
  }),
)

export const refreshHistory = coalesced(() =>
  reported(async () => {
    dispatch({ type: 'history_listed', entries: await getHistory(HISTORY_LENGTH) })
  }),
)

/** Jobs that were queued before and are not any more, whoever queued them. */
function goneFrom(before: QueueSnapshot, after: QueueSnapshot): JobId[] {
  const left = new Set([...after.running, ...after.pending].map(({ jobId }) => jobId))
  return [...before.running, ...before.pending]
    .map(({ jobId }) => jobId)
    .filter((jobId) => !left.has(jobId))
}

/** Ask for the one entry only: the whole history holds a graph and a workflow per job. */
async function addToHistory(jobId: JobId): Promise<void> {
  const entry = await getHistoryEntry(jobId)
  if (entry === null) return
  const own = entry.job.extra.client_id === clientIdOf(sessionStorage)
  dispatch({ type: 'history_added', entry, own })
}

/** The lists are asked for again after every reconnect, so a lost connection is no news here. */
async function reported(load: () => Promise<void>): Promise<void> {
  try {
    await load()
  } catch (error) {
    if (!(error instanceof ApiError && error.status === null)) dispatchFailure(error)
  }
}

function receive(message: ServerMessage): void {
  dispatch(message)
  switch (message.type) {
    case 'status':
    case 'execution_start':
      refreshQueue()
      break
    case 'execution_error':
      if (isBlocked(message.data)) break
      void reported(() => addToHistory(message.data.prompt_id))
      break
    case 'execution_success':
    case 'execution_interrupted':
      void reported(() => addToHistory(message.data.prompt_id))
      break
    default:
  }
}

function show({ nodeId, jobId, image }: PreviewFrame): void {
  const url = URL.createObjectURL(image)
  const before = useRun.getState()
  dispatch({ type: 'preview', jobId, nodeId, url })
  if (useRun.getState() === before) URL.revokeObjectURL(url)
}
