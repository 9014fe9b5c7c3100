/** Careful reading of values whose shape a file only promises. */

import type { JsonObject, Point, Rect, Value } from '../types'

export type WorkflowFault = 'notAWorkflow' | 'apiFormat' | 'nodeWithoutId' | 'badPart'

/** A file that is no workflow; `fault` names the reason (i18n `file.workflow.*`). */
export class WorkflowError extends Error {
  readonly fault: WorkflowFault
  readonly part: string

  constructor(fault: WorkflowFault, part = '') {
    super(`not a workflow: ${fault} ${part}`.trim())
    this.name = 'WorkflowError'
    this.fault = fault
    this.part = part
  }
}

export function isObject(value: Value | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Like Array.isArray, which makes `any` of a read-only list. */
export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value)
}

export function asObject(value: Value | undefined, part: string): JsonObject {
  if (isObject(value)) return value
  throw new WorkflowError('badPart', part)
}

export function asArray(value: Value | undefined): readonly Value[] {
  return isList(value) ? value : []
}

export function asNumber(value: Value | undefined, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise
}

export function asText(value: Value | undefined, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}

export function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}

/** A pair of numbers, written as a list or as {"0": …, "1": …}. */
export function readPair(value: Value | undefined): Point | null {
  const [x, y] = isObject(value) ? [value['0'], value['1']] : asArray(value)
  if (typeof x !== 'number' || typeof y !== 'number') return null
  return { x, y }
}

export function readRect(value: Value | undefined): Rect {
  const list = isObject(value) ? Object.values(value) : asArray(value)
  const [x, y, width, height] = list.map((item) => asNumber(item, 0))
  return { x: x ?? 0, y: y ?? 0, width: width ?? 200, height: height ?? 120 }
}
