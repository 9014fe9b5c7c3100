/** The arithmetic of number fields: bounds, steps and digits, exact beyond 2^53. */

import { clamped, narrowed } from '../graph/seeds'
import type { Value } from '../types'
import { evaluate, exactInteger } from './arithmetic'

export interface NumberRange {
  readonly integer: boolean
  readonly min: number
  readonly max: number
  readonly step: number
  readonly precision: number
}

/** Digits that a value keeps: enough for any step, few enough to hide 0.1 + 0.2. */
const DIGITS = 6

export type Numeric = number | bigint

export function toNumeric(value: Value, otherwise: number): Numeric {
  if (typeof value === 'bigint') return value
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise
}

/** The value as text: at least the digits of the step, more only where there are more. */
export function format(value: Numeric, { integer, precision }: NumberRange): string {
  if (typeof value === 'bigint') return value.toString()
  if (integer) return String(value)
  const [whole = '0', fraction = ''] = value.toFixed(DIGITS).split('.')
  const digits = fraction.replace(/0+$/, '').padEnd(precision, '0')
  return digits === '' ? whole : `${whole}.${digits}`
}

/** What a person typed, within the bounds; null where it is no number. */
export function parse(text: string, range: NumberRange): Numeric | null {
  const exact = range.integer ? exactInteger(text) : null
  if (exact !== null) return narrowed(clamped(exact, range.min, range.max))
  const value = evaluate(text)
  return value === null ? null : bounded(value, range)
}

/** The value some steps further, on the grid of steps that begins at the minimum. */
export function stepped(value: Numeric, steps: number, range: NumberRange): Numeric {
  if (range.integer && Number.isSafeInteger(range.step)) {
    const next = BigInt(typeof value === 'bigint' ? value : Math.round(value))
    return narrowed(clamped(next + BigInt(steps) * BigInt(range.step), range.min, range.max))
  }
  return bounded(Number(value) + steps * range.step, range)
}

function bounded(value: number, { integer, min, max }: NumberRange): number {
  const rounded = integer ? Math.round(value) : Number(value.toFixed(DIGITS))
  return Math.min(Math.max(rounded, min), max)
}
