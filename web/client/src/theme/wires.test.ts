import { expect, test } from 'vitest'

import { wireColor } from './wires'

test('a well-known type has its own token', () => {
  expect(wireColor('MODEL')).toBe('var(--wire-model)')
  expect(wireColor('CONTROL_NET')).toBe('var(--wire-control-net)')
})

test('an unknown type keeps one hue of its own', () => {
  expect(wireColor('SEGS')).toBe(wireColor('SEGS'))
  expect(wireColor('SEGS')).toMatch(/^oklch\(var\(--wire-lightness\) .* \d+\)$/)
  expect(wireColor('SEGS')).not.toBe(wireColor('BBOX'))
})

test('a type that takes anything is neutral', () => {
  expect(wireColor('*')).toBe('var(--wire-any)')
  expect(wireColor('INT,FLOAT')).toBe('var(--wire-any)')
})
