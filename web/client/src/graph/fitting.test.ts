import { describe, expect, test } from 'vitest'

import { fits, refusal } from './fitting'
import { nodes, SPECS, wired } from './testing'

const wish = (source: string, output: number, target: string, input: string) => ({
  source,
  output,
  target,
  input,
})

describe('a wire', () => {
  const workflow = nodes('Loader', 'Sampler', 'Merge', 'Save', 'Merge')

  test('is drawn between sockets of the same type', () => {
    expect(refusal(wish('1', 0, '2', 'model'), workflow, SPECS)).toBeNull()
  })

  test('is refused between types that differ, and the refusal names both', () => {
    expect(refusal(wish('1', 1, '2', 'model'), workflow, SPECS)).toEqual({
      reason: 'type',
      output: 'CLIP',
      input: 'MODEL',
    })
  })

  test('fits one of several types that an input takes', () => {
    expect(refusal(wish('2', 0, '3', 'two'), workflow, SPECS)).toBeNull()
    expect(fits('IMAGE,MASK', 'MASK')).toBe(true)
    expect(fits('IMAGE,MASK', 'LATENT')).toBe(false)
  })

  test('fits an input that takes everything', () => {
    expect(refusal(wish('1', 1, '4', 'any'), workflow, SPECS)).toBeNull()
  })

  test('is refused from a node to itself', () => {
    expect(refusal(wish('3', 0, '3', 'one'), workflow, SPECS)).toEqual({ reason: 'self' })
  })

  test('is refused where it would close a loop, however long', () => {
    const chain = wired(wired(workflow, '2:0', '3:one'), '3:0', '5:one')
    expect(refusal(wish('5', 0, '3', 'two'), chain, SPECS)).toEqual({ reason: 'loop' })
    expect(refusal(wish('2', 0, '5', 'two'), chain, SPECS)).toBeNull()
  })

  test('is refused at sockets and nodes that do not exist', () => {
    expect(refusal(wish('1', 7, '2', 'model'), workflow, SPECS)).toEqual({ reason: 'gone' })
    expect(refusal(wish('1', 0, '2', 'nothing'), workflow, SPECS)).toEqual({ reason: 'gone' })
    expect(refusal(wish('1', 0, '99', 'model'), workflow, SPECS)).toEqual({ reason: 'gone' })
  })
})

describe('a reroute', () => {
  test('gives the type that it is given', () => {
    const workflow = wired(nodes('Loader', 'Reroute', 'Sampler'), '1:1', '2:')
    expect(refusal(wish('2', 0, '3', 'model'), workflow, SPECS)).toEqual({
      reason: 'type',
      output: 'CLIP',
      input: 'MODEL',
    })
  })

  test('takes only what fits the inputs behind it', () => {
    const workflow = wired(nodes('Loader', 'Reroute', 'Sampler'), '2:0', '3:model')
    expect(refusal(wish('1', 1, '2', ''), workflow, SPECS)?.reason).toBe('type')
    expect(refusal(wish('1', 0, '2', ''), workflow, SPECS)).toBeNull()
  })
})
