import { describe, expect, test } from 'vitest'

import type { Control, Value, WidgetSpec } from '../types'
import { withInputValue } from './actions'
import { nodeOf } from './document'
import { afterQueueing, nextValue } from './seeds'
import { readControl, readValue } from './slots'
import { nodes, SPECS } from './testing'

const SEED: WidgetSpec = {
  kind: 'seed',
  default: 0,
  min: 0,
  max: 2 ** 64,
  control: 'randomize',
}

const next = (value: Value, control: Control, random = 0.5) =>
  nextValue(SEED, value, control, () => random)

describe('a seed after queueing', () => {
  test.each<[Value, Control, Value]>([
    [5, 'fixed', 5],
    [5, 'increment', 6],
    [5, 'decrement', 4],
    [0, 'decrement', 0],
    [Number.MAX_SAFE_INTEGER, 'increment', 9007199254740992n],
    [9007199254740993n, 'increment', 9007199254740994n],
    [9007199254740992n, 'decrement', Number.MAX_SAFE_INTEGER],
    [18446744073709551615n, 'increment', 18446744073709551615n],
  ])('%s with %s becomes %s', (value, control, expected) => {
    expect(next(value, control)).toBe(expected)
  })

  test('random seeds are whole, not negative, and exact in every program', () => {
    for (const random of [0, 0.1234567890123, 0.999999999999]) {
      const seed = next(1, 'randomize', random)
      expect(Number.isSafeInteger(seed)).toBe(true)
      expect(seed).toBeGreaterThanOrEqual(0)
      expect(seed).toBeLessThan(2 ** 50)
    }
  })
})

describe('a document after queueing', () => {
  const spec = SPECS.Sampler
  const seed = spec?.inputs.find((input) => input.name === 'seed')
  if (!spec || !seed) throw new Error('no spec')

  test('has the seeds that their controls ask for, and nothing else is touched', () => {
    const workflow = nodes('Sampler', 'Sampler', 'Loader')
    const counting = withInputValue(workflow, spec, '1', seed, 'increment', 'control')
    const keeping = withInputValue(counting, spec, '2', seed, 'fixed', 'control')
    const after = afterQueueing(keeping, SPECS, () => 0.5)
    expect(nodeOf(after, '1')?.values).toEqual([1, 'increment', 20])
    expect(nodeOf(after, '2')).toBe(nodeOf(keeping, '2'))
    expect(nodeOf(after, '3')).toBe(nodeOf(keeping, '3'))
  })

  test('is the very same document if all seeds are fixed', () => {
    const fixed = withInputValue(nodes('Sampler'), spec, '1', seed, 'fixed', 'control')
    expect(afterQueueing(fixed, SPECS, Math.random)).toBe(fixed)
  })

  test('old files say true for randomize and false for fixed', () => {
    const [node] = nodes('Sampler').nodes
    if (!node) throw new Error('no node')
    expect(readControl({ ...node, values: [1, true, 20] }, spec, seed)).toBe('randomize')
    expect(readControl({ ...node, values: [1, false, 20] }, spec, seed)).toBe('fixed')
  })

  test('missing values are the defaults', () => {
    const [node] = nodes('Sampler').nodes
    if (!node) throw new Error('no node')
    expect(readValue({ ...node, values: null }, spec, seed)).toBe(0)
    expect(readValue({ ...node, values: { seed: 12 } }, spec, seed)).toBe(12)
  })
})
