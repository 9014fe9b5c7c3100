import { describe, expect, test } from 'vitest'

import { IDLE, textsOf, type NodeRun } from './state'

const showing = (text: unknown): NodeRun => ({ ...IDLE, output: { text } })

describe('the texts of a node', () => {
  test('are those that its result shows', () => {
    expect(textsOf(showing(['no embedding', 'two lines\nof text']))).toEqual([
      'no embedding',
      'two lines\nof text',
    ])
    expect(textsOf(showing('alone'))).toEqual(['alone'])
  })

  test('are none before it ran, and none where a pack shows something else', () => {
    expect(textsOf(IDLE)).toEqual([])
    expect(textsOf(showing(undefined))).toEqual([])
    expect(textsOf(showing([1, null, { a: 1 }]))).toEqual([])
  })
})
