/**
 * The workflow on the canvas, kept in the browser so that a reload or a crash loses nothing: once
 * for this tab, and once for the next tab that is opened.
 */

import { parseJson, stringifyJson } from '../graph/json'
import { asText, isObject } from '../graph/reading'
import { parseWorkflow, serializeWorkflow } from '../graph/serial'
import { useGraph } from '../graph/store'
import type { Workflow } from '../types'

const DRAFT_KEY = 'weft.draft'
const DELAY_MS = 400

export interface Draft {
  readonly workflow: Workflow
  readonly name: string | null
}

/** Write the draft a moment after each change; returns how to stop. */
export function keepDraft(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const unsubscribe = useGraph.subscribe((state, before) => {
    if (state.workflow === before.workflow && state.name === before.name) return
    clearTimeout(timer)
    timer = setTimeout(writeDraft, DELAY_MS)
  })
  window.addEventListener('pagehide', writeDraft)
  return () => {
    unsubscribe()
    clearTimeout(timer)
    window.removeEventListener('pagehide', writeDraft)
  }
}

function writeDraft(): void {
  const { workflow, name } = useGraph.getState()
  const text = stringifyJson({ name, workflow: serializeWorkflow(workflow) })
  for (const storage of [sessionStorage, localStorage]) {
    try {
      storage.setItem(DRAFT_KEY, text)
    } catch {
      // The browser's storage is full or forbidden: editing goes on without a draft.
      storage.removeItem(DRAFT_KEY)
    }
  }
}

/** The draft of this tab, else that of the last one, or null where none can be read. */
export function recallDraft(
  storages: readonly Pick<Storage, 'getItem'>[] = [sessionStorage, localStorage],
): Draft | null {
  for (const storage of storages) {
    const draft = draftOf(storage.getItem(DRAFT_KEY))
    if (draft !== null) return draft
  }
  return null
}

function draftOf(text: string | null): Draft | null {
  if (text === null) return null
  try {
    const draft = parseJson(text)
    if (!isObject(draft) || draft.workflow === undefined) return null
    return { workflow: parseWorkflow(draft.workflow), name: asText(draft.name, '') || null }
  } catch {
    return null
  }
}
