import { expect, test } from 'vitest'

import { bestMatch, match } from './fuzzy'

const rank = (query: string, names: string[]) =>
  names
    .flatMap((name) => {
      const found = match(query, name)
      return found ? [{ name, score: found.score }] : []
    })
    .sort((one, other) => other.score - one.score)
    .map(({ name }) => name)

test('letters must occur in order', () => {
  expect(match('ksam', 'KSampler')).not.toBeNull()
  expect(match('smak', 'KSampler')).toBeNull()
})

test('a beginning beats the middle of the name, the middle beats scattered letters', () => {
  expect(rank('latent', ['Empty Latent Image', 'Latent Upscale', 'Load a text entry'])).toEqual([
    'Latent Upscale',
    'Empty Latent Image',
    'Load a text entry',
  ])
})

test('initials find a name', () => {
  expect(rank('eli', ['Empty Latent Image', 'Delight'])[0]).toBe('Empty Latent Image')
})

test('the places of the letters are told', () => {
  expect(match('vd', 'VAE Decode')?.places).toEqual([0, 4])
})

test('other words for a node find it, its name first', () => {
  expect(bestMatch('txt2img', 'KSampler', ['txt2img'])).not.toBeNull()
  const byName = bestMatch('noise', 'Noise', [])?.score ?? 0
  expect(bestMatch('noise', 'KSampler', ['noise'])?.score).toBeLessThan(byName)
})
