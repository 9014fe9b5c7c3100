/**
 * JSON with exact integers. Files hold 64-bit seeds, which a double rounds; these two functions
 * keep an integer beyond 2^53 as a bigint and write it back digit by digit.
 */

import type { Value } from '../types'

const MARK = '\u0001integer:'
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g
const LONG_INTEGER = /^-?\d{16,}$/
const MARKED = /"\\u0001integer:(-?\d+)"/g

/** Read JSON text; throws a SyntaxError as JSON.parse does. */
export function parseJson(text: string): Value {
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    LONG_INTEGER.test(token) && !Number.isSafeInteger(Number(token))
      ? `"\\u0001integer:${token}"`
      : token,
  )
  return JSON.parse(marked, (_key, value: Value) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  ) as Value
}

/** Write JSON text; `indent` is the number of spaces per level. */
export function stringifyJson(value: unknown, indent = 0): string {
  const marked = JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? `${MARK}${item.toString()}` : item),
    indent,
  )
  return marked.replace(MARKED, '$1')
}
