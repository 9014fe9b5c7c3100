import { expect, test } from 'vitest'

import { parseJson, stringifyJson } from './json'

test('integers beyond 2^53 survive reading and writing digit by digit', () => {
  const text = '{"seed":18446744073709551615,"small":42,"negative":-9007199254740993}'
  expect(parseJson(text)).toEqual({
    seed: 18446744073709551615n,
    small: 42,
    negative: -9007199254740993n,
  })
  expect(stringifyJson(parseJson(text))).toBe(text)
})

test('long fractions and exponents stay numbers', () => {
  expect(parseJson('[0.87000000000000011, 12345678901234567e3, 9007199254740991]')).toEqual([
    0.8700000000000001, 12345678901234567e3, 9007199254740991,
  ])
})

test('digits in texts are left alone, with quotes and backslashes around them', () => {
  const text = String.raw`["18446744073709551615","a \"12345678901234567890\" b","\\"]`
  expect(stringifyJson(parseJson(text))).toBe(text)
})

test('a broken text is an error', () => {
  expect(() => parseJson('{"a": 1')).toThrow(SyntaxError)
})
