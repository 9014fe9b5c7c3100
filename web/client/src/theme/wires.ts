/** Colors of wires and handles: a token for the well-known types, a stable hue for all others. */

const NAMED: ReadonlySet<string> = new Set([
  'MODEL',
  'CLIP',
  'VAE',
  'CONDITIONING',
  'LATENT',
  'IMAGE',
  'MASK',
  'CONTROL_NET',
  'INT',
  'FLOAT',
  'STRING',
  'BOOLEAN',
  'COMBO',
])

/** The CSS color of a wire type, following the theme by itself. */
export function wireColor(type: string): string {
  if (NAMED.has(type)) return `var(--wire-${type.toLowerCase().replaceAll('_', '-')})`
  if (type === '*' || type === '' || type.includes(',')) return 'var(--wire-any)'
  return `oklch(var(--wire-lightness) var(--wire-chroma) ${hueOf(type)})`
}

/** A hue in degrees, the same for the same name on every machine (FNV-1a). */
function hueOf(name: string): number {
  let hash = 0x811c9dc5
  for (const character of name) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  }
  return hash % 360
}
