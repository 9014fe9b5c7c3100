/** Save the workflow as a file of its own. */

import { stringifyJson } from '../graph/json'
import { serializeWorkflow } from '../graph/serial'
import type { Workflow } from '../types'

/** Let the browser save the document as `name.json`. */
export function downloadWorkflow(workflow: Workflow, name: string): void {
  const text = stringifyJson(serializeWorkflow(workflow), 2)
  download(new Blob([text], { type: 'application/json' }), `${fileName(name)}.json`)
}

function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content)
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  // The browser reads the content after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** A name that every file system takes. */
export function fileName(name: string): string {
  const plain = name.replace(/\.json$/i, '').replace(/[\p{Cc}<>:"/\\|?*]/gu, '_')
  return plain.replace(/^[\s.]+|[\s.]+$/g, '').slice(0, 120) || 'workflow'
}
