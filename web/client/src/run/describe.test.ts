import i18next, { type TFunction } from 'i18next'
import { beforeAll, expect, test } from 'vitest'

import { resources } from '../i18n/resources'
import { describeProblem, describeRefusal } from './describe'
import { problemsFrom } from './problems'

let t: TFunction

beforeAll(async () => {
  t = await i18next.createInstance().init({ resources, lng: 'en' })
})

function words(type: string, details: string, extra_info: Record<string, unknown>): string[] {
  const errors = [{ type, message: 'Message', details, extra_info }]
  const problems = problemsFrom({ '3': { class_type: 'KSampler', errors } })
  return problems.map((problem) => describeProblem(t, problem))
}

test('limits name the input, its value and the limit', () => {
  const input_config = ['INT', { min: 1, max: 10_000 }]
  expect(
    words('value_smaller_than_min', 'steps', {
      input_name: 'steps',
      input_config,
      received_value: 0,
    }),
  ).toEqual(['“steps” is 0, but the smallest allowed value is 1.'])
})

test('a wire of the wrong type names both types', () => {
  const extra = { input_name: 'model', input_config: ['MODEL', {}], received_type: 'CLIP' }
  expect(words('return_type_mismatch', '', extra)).toEqual([
    '“model” takes MODEL, but is wired to CLIP.',
  ])
})

test('a choice that is not there is shown, cut if it is long', () => {
  const [sentence] = words('value_not_in_list', '', {
    input_name: 'ckpt_name',
    received_value: 'x'.repeat(500),
  })
  expect(sentence).toMatch(/^“ckpt_name” is set to x+…/)
  expect(sentence?.length).toBeLessThan(200)
})

test('a kind without words of its own is told in the words of the server', () => {
  expect(words('custom_validation_failed', 'image - not there', { input_name: 'image' })).toEqual([
    'Message: image - not there',
  ])
  expect(words('value_smaller_than_min', 'steps', {})).toEqual(['Message: steps'])
})

test('a refusal that is known has words, another keeps its own', () => {
  expect(describeRefusal(t, { kind: 'prompt_no_outputs', message: 'x', details: '' })).toMatch(
    /^Nothing here/,
  )
  expect(describeRefusal(t, { kind: 'queue_full', message: 'Full', details: '' })).toBe('Full')
})
