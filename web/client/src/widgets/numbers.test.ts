import { describe, expect, test } from 'vitest'

import { evaluate } from './arithmetic'
import { format, parse, stepped } from './numbers'

const CFG = { integer: false, min: 0, max: 100, step: 0.1, precision: 1 }
const SIZE = { integer: true, min: 16, max: 16384, step: 8, precision: 0 }
const SEED = { integer: true, min: 0, max: 2 ** 64, step: 1, precision: 0 }

describe('numbers as people type them', () => {
  test.each([
    ['1024*2', 2048],
    ['512 + 2 * 64', 640],
    ['(1+2)*-3', -9],
    ['0,5', 0.5],
    ['.5', 0.5],
    ['1e3', 1000],
  ])('%s is %d', (text, value) => {
    expect(evaluate(text)).toBe(value)
  })

  test.each(['', 'abc', '1+', '(2', '1/0', '2 3', 'alert(1)'])('“%s” is no number', (text) => {
    expect(evaluate(text)).toBeNull()
  })

  test('are kept within the bounds', () => {
    expect(parse('-5', CFG)).toBe(0)
    expect(parse('99999', SIZE)).toBe(16384)
    expect(parse('words', SIZE)).toBeNull()
  })

  test('of 64 bits are exact', () => {
    expect(parse('18446744073709551615', SEED)).toBe(18446744073709551615n)
    expect(parse('99999999999999999999', SEED)).toBe(18446744073709551615n)
    expect(parse('42', SEED)).toBe(42)
  })
})

describe('shown numbers', () => {
  test.each([
    [8, '8.0'],
    [0.8700000000000001, '0.87'],
    [7.25, '7.25'],
  ])('%d is shown as %s', (value, text) => {
    expect(format(value, CFG)).toBe(text)
  })

  test('have all their digits beyond 2^53', () => {
    expect(format(18446744073709551615n, SEED)).toBe('18446744073709551615')
  })
})

describe('steps', () => {
  test('do not gather errors of rounding', () => {
    const value = Array.from({ length: 10 }).reduce<number | bigint>((at) => stepped(at, 1, CFG), 0)
    expect(value).toBe(1)
  })

  test('stop at the bounds and pass 2^53 exactly', () => {
    expect(stepped(16, -3, SIZE)).toBe(16)
    expect(stepped(Number.MAX_SAFE_INTEGER, 2, SEED)).toBe(9007199254740993n)
  })
})
