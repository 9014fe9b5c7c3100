/** The run store: one zustand store that holds the reduced state, and hooks that select from it. */

import { create } from 'zustand'

import { ApiError } from '../api/http'
import { reduce, type RunMessage } from './reduce'
import { IDLE, INITIAL, type NodeId, type NodeRun, type RunState } from './state'

export const useRun = create<RunState>(() => INITIAL)

/** How a node fares; redraws the caller only when that changes. */
export function useNodeRun(id: NodeId): NodeRun {
  return useRun((run) => run.nodes[id] ?? IDLE)
}

/** Bring a message into the state and revoke the previews that it replaced. */
export function dispatch(message: RunMessage): void {
  const before = useRun.getState()
  const after = reduce(before, message)
  if (after === before) return
  useRun.setState(after, true)
  for (const url of droppedPreviews(before, after)) URL.revokeObjectURL(url)
}

/** Show that a request came to nothing, as a refusal in plain words. */
export function dispatchFailure(error: unknown): void {
  const unreachable = error instanceof ApiError && error.status === null
  const message = error instanceof Error ? error.message : String(error)
  const refusal = { kind: unreachable ? 'unreachable' : 'failed_request', message, details: '' }
  dispatch({ type: 'request_failed', refusal })
}

/** Previews that were shown before and are not any more. */
export function droppedPreviews(before: RunState, after: RunState): string[] {
  if (before.nodes === after.nodes) return []
  return Object.entries(before.nodes)
    .filter(([id, { preview }]) => preview !== after.nodes[id]?.preview)
    .flatMap(([, { preview }]) => preview ?? [])
}
