/** Queue the workflow, and interrupt what runs. */

import { interrupt, submitWorkflow } from '../api/client'
import { clientIdOf } from '../api/clientId'
import type { JsonObject } from '../types'
import { problemsFrom } from './problems'
import { usePreviews } from './settings'
import { leadOf } from './state'
import { dispatch, dispatchFailure, useRun } from './store'

/** Queue a serialized workflow; false if it was refused, the reasons being in the store then. */
export async function queueWorkflow(
  workflow: JsonObject,
  { front = false }: { readonly front?: boolean } = {},
): Promise<boolean> {
  const previews = usePreviews.getState().enabled
  const clientId = clientIdOf(sessionStorage)
  try {
    const answer = await submitWorkflow(workflow, { clientId, front, previews })
    const problems = problemsFrom(answer.nodeErrors)
    if (answer.accepted) {
      dispatch({ type: 'submitted', problems })
      return true
    }
    const { type: kind, message, details } = answer.error
    dispatch({ type: 'refused', refusal: { kind, message, details }, problems })
  } catch (error) {
    dispatchFailure(error)
  }
  return false
}

/** Stop the running job at its next step. */
export async function interruptRun(): Promise<void> {
  try {
    await interrupt(leadOf(useRun.getState())?.id)
  } catch (error) {
    dispatchFailure(error)
  }
}
