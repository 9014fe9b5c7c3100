import { expect, test } from 'vitest'

import { slotsOf } from '../graph/slots'
import type { JsonObject } from '../types'
import { parseSpec } from './parse'

const SAMPLER: JsonObject = {
  input: {
    required: {
      model: ['MODEL', { tooltip: 'What denoises.' }],
      seed: [
        'INT',
        { default: 0, min: 0, max: 18446744073709551615n, control_after_generate: true },
      ],
      steps: ['INT', { default: 20, min: 1, max: 10000 }],
      cfg: ['FLOAT', { default: 8.0, min: 0.0, max: 100.0, step: 0.1, round: 0.01 }],
      sampler_name: [['euler', 'heun'], {}],
      scheduler: ['COMBO', { options: ['normal', 'karras'], default: 'karras' }],
    },
    optional: { note: ['STRING', { multiline: true }], size: ['INT', { forceInput: true }] },
    hidden: { prompt: 'PROMPT' },
  },
  output: ['LATENT', ['a', 'b']],
  output_name: ['LATENT', 'choice'],
  name: 'KSampler',
  display_name: 'KSampler',
  category: 'sampling',
  output_node: false,
}

const spec = parseSpec('KSampler', SAMPLER)
const widgetOf = (name: string) => spec.inputs.find((input) => input.name === name)?.widget

test('both spellings of a choice are read', () => {
  expect(widgetOf('sampler_name')).toMatchObject({ options: ['euler', 'heun'], default: 'euler' })
  expect(widgetOf('scheduler')).toMatchObject({ options: ['normal', 'karras'], default: 'karras' })
})

test('a seed is told by its control, and in old declarations by its name', () => {
  expect(widgetOf('seed')).toMatchObject({ kind: 'seed', control: 'randomize' })
  const old = parseSpec('Old', { input: { required: { noise_seed: ['INT', {}], n: ['INT', {}] } } })
  expect(old.inputs.map((input) => input.widget?.kind)).toEqual(['seed', 'number'])
})

test('an input that wants a wire has no widget, hidden inputs are left out', () => {
  expect(widgetOf('model')).toBeNull()
  expect(widgetOf('size')).toBeNull()
  expect(spec.inputs.map((input) => input.name)).not.toContain('prompt')
})

test('optional inputs are marked and come last', () => {
  expect(spec.inputs.map((input) => input.optional)).toEqual([
    ...Array.from({ length: 6 }, () => false),
    true,
    true,
  ])
})

test('digits that are shown follow the step', () => {
  expect(widgetOf('cfg')).toMatchObject({ precision: 1, step: 0.1, integer: false })
  expect(widgetOf('steps')).toMatchObject({ precision: 0, step: 1, integer: true })
})

test('outputs have names and types; a list of choices is a COMBO', () => {
  expect(spec.outputs.map(({ name, type }) => [name, type])).toEqual([
    ['LATENT', 'LATENT'],
    ['choice', 'COMBO'],
  ])
})

test('a seed and an upload take two elements of the values each', () => {
  const load = parseSpec('LoadImage', {
    input: { required: { image: [['a.png'], { image_upload: true }], seed: ['INT', {}] } },
  })
  expect(slotsOf(load).map(({ input, role }) => `${input.name} ${role}`)).toEqual([
    'image value',
    'image button',
    'seed value',
    'seed control',
  ])
})

test('values whose widgets are missing here are typed in', () => {
  const remote = { route: '/far', refresh_button: true }
  const required = {
    tags: ['COMBO', { options: ['a', 'b'], multiselect: true }],
    far: ['COMBO', { remote }],
    picture: ['COMBO', { remote, image_upload: true }],
    color: ['COLOR', { default: '#ffffff', socketless: true }],
    box: ['BOUNDING_BOX', { default: { x: 0 }, socketless: true }],
    rate: ['FLOAT,INT', { default: 25, widgetType: 'FLOAT' }],
    wired: ['BOUNDING_BOX', { default: { x: 0 }, socketless: true, forceInput: true }],
  }
  const { inputs } = parseSpec('Others', { input: { required } })
  expect(inputs.map(({ widget }) => [widget?.kind, widget?.default])).toEqual([
    ['json', []],
    ['text', ''],
    ['image', null],
    ['text', '#ffffff'],
    ['json', { x: 0 }],
    ['number', 25],
    [undefined, undefined],
  ])
})
