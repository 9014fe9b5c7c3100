/** The id that a document keeps for life, by which jobs know where they came from. */

import type { Workflow } from '../types'

/** The document under an id of its own, a random UUID. */
export function withFreshId(workflow: Workflow): Workflow {
  return { ...workflow, rest: { ...workflow.rest, id: randomId() } }
}

/** A version 4 UUID; `crypto.randomUUID` is missing on pages served over plain http. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = [...bytes].map((byte, index) => {
    const marked = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte
    return marked.toString(16).padStart(2, '0')
  })
  return [0, 4, 6, 8, 10]
    .map((start, part) => hex.slice(start, [4, 6, 8, 10, 16][part]).join(''))
    .join('-')
}
