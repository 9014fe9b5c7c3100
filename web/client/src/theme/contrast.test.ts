/** The colors of both themes keep the contrasts of WCAG 2.2: 4.5 for text, 3 for what is drawn. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

type Rgb = readonly [number, number, number]
type Tokens = ReadonlyMap<string, string>

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8')

function tokensOf(selector: string): Tokens {
  const start = css.indexOf(`${selector} {`)
  const block = css.slice(start, css.indexOf('\n}', start))
  return new Map(
    [...block.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [
      name ?? '',
      value ?? '',
    ]),
  )
}

const dark = tokensOf(':root')
const light = new Map([...dark, ...tokensOf(":root[data-mantine-color-scheme='light']")])

function valueOf(tokens: Tokens, name: string): string {
  const value = tokens.get(name)
  if (value === undefined) throw new Error(`there is no token ${name}`)
  return value.replace(/var\((--[\w-]+)\)/g, (_all, inner: string) => valueOf(tokens, inner))
}

/** Linear light of a color, each channel 0 to 1. */
function linear(color: string): Rgb {
  const hex = /^#(..)(..)(..)$/.exec(color)
  if (hex) {
    const [r, g, b] = hex.slice(1).map((pair) => parseInt(pair, 16) / 255)
    return [decoded(r), decoded(g), decoded(b)]
  }
  const oklch = /^oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)$/.exec(color)
  if (!oklch) throw new Error(`not a color that this test reads: ${color}`)
  const [lightness = 0, chroma = 0, hue = 0] = oklch.slice(1).map(Number)
  const angle = (hue * Math.PI) / 180
  return fromOklab(lightness, chroma * Math.cos(angle), chroma * Math.sin(angle))
}

function decoded(channel = 0): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
}

/** Björn Ottosson's Oklab, cut to what a screen shows. */
function fromOklab(lightness: number, a: number, b: number): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  const cut = (value: number) => Math.min(Math.max(value, 0), 1)
  return [
    cut(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    cut(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    cut(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}

function contrast(tokens: Tokens, first: string, second: string): number {
  const [a, b] = [first, second].map((name) => {
    const [red, green, blue] = linear(valueOf(tokens, name))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  })
  const [lighter, darker] = [Math.max(a ?? 0, b ?? 0), Math.min(a ?? 0, b ?? 0)]
  return (lighter + 0.05) / (darker + 0.05)
}

const SURFACES = ['canvas', 'app', 'node', 'node-header', 'field', 'raised'].map(
  (n) => `--surface-${n}`,
)
const TEXTS = ['--text', '--text-dim', '--text-faint', '--accent-text']
const STATES = ['--running-text', '--warning-text', '--danger-text']
const WIRES = [...dark.keys()].filter((name) => /^--wire-(?!lightness|chroma|width)/.test(name))

describe.each([
  ['dark', dark],
  ['light', light],
])('in the %s theme', (_name, tokens) => {
  test.each(SURFACES)('words can be read on %s', (surface) => {
    for (const text of [...TEXTS, ...STATES]) {
      expect(contrast(tokens, text, surface), text).toBeGreaterThanOrEqual(4.5)
    }
  })

  test('words can be read on the accent', () => {
    expect(contrast(tokens, '--on-accent', '--accent')).toBeGreaterThanOrEqual(4.5)
  })

  test.each(WIRES)('%s stands out from the canvas and the nodes', (wire) => {
    for (const surface of ['--surface-canvas', '--surface-node']) {
      expect(contrast(tokens, wire, surface), surface).toBeGreaterThanOrEqual(3)
    }
  })
})
