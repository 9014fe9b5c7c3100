/** The server's node errors as the problems that the editor shows. */

import type { NodeErrors, RequestError } from '../api/types'
import type { NodeId, Problem } from './state'

/** All problems of a refused (or only partly accepted) workflow. */
export function problemsFrom(nodeErrors: NodeErrors): Problem[] {
  return Object.entries(nodeErrors).flatMap(([nodeId, { errors }]) =>
    errors.map((error) => problemFrom(nodeId, error)),
  )
}

function problemFrom(nodeId: NodeId, error: RequestError): Problem {
  const info = error.extra_info ?? {}
  return {
    nodeId,
    input: info.input_name ?? null,
    kind: error.type,
    message: error.message,
    details: error.details,
    values: { ...configValues(info.input_config), ...infoValues(info) },
  }
}

function infoValues(info: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {}
  if ('received_value' in info) found.value = shown(info.received_value)
  if ('received_type' in info) found.received = shown(info.received_type)
  return found
}

/** Type and limits of an input as /object_info declares them: `[type, options]`. */
function configValues(config: unknown): Record<string, string> {
  if (!Array.isArray(config)) return {}
  const [type, options] = config as [unknown, unknown]
  const found: Record<string, string> = typeof type === 'string' ? { expected: type } : {}
  if (typeof options !== 'object' || options === null) return found
  const { min, max } = options as Readonly<Record<string, unknown>>
  if (min !== undefined) found.min = shown(min)
  if (max !== undefined) found.max = shown(max)
  return found
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
