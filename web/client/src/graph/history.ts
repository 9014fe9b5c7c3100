/** Undo and redo as two lists of documents. */

import type { Workflow } from '../types'

const LIMIT = 200
const MERGE_WITHIN_MS = 1200

export interface History {
  readonly past: readonly Workflow[]
  readonly future: readonly Workflow[]
  /** What the last change was, so that a quick successor of the same kind joins it. */
  readonly last: { readonly merge: string; readonly at: number } | null
}

export const EMPTY_HISTORY: History = { past: [], future: [], last: null }

/** The history after a change away from `before`; `at` is the time in milliseconds. */
export function remembered(
  history: History,
  before: Workflow,
  merge: string | null,
  at: number,
): History {
  const last = merge === null ? null : { merge, at }
  const { last: previous } = history
  const joins = merge !== null && previous?.merge === merge && at - previous.at <= MERGE_WITHIN_MS
  const past = joins ? history.past : [...history.past, before].slice(-LIMIT)
  return { past, future: [], last }
}

interface Step {
  readonly history: History
  readonly workflow: Workflow
}

/** One step back from `present`, or null at the beginning. */
export function undone(history: History, present: Workflow): Step | null {
  const workflow = history.past.at(-1)
  if (!workflow) return null
  const past = history.past.slice(0, -1)
  return { workflow, history: { past, future: [present, ...history.future], last: null } }
}

/** One step forward from `present`, or null at the end. */
export function redone(history: History, present: Workflow): Step | null {
  const [workflow, ...future] = history.future
  if (!workflow) return null
  return { workflow, history: { past: [...history.past, present], future, last: null } }
}
