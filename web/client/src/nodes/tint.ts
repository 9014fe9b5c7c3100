/** The color that a file gives a node, as a hue: themes choose how light and how strong it is. */

import type { CSSProperties } from 'react'

import type { GraphNode } from '../types'

/** Custom properties for the header and the body, or nothing for a node without a color. */
export function tintOf({ rest }: GraphNode): CSSProperties | undefined {
  const color = typeof rest.color === 'string' ? rest.color : rest.bgcolor
  if (typeof color !== 'string' || !/^#[0-9a-f]{3,8}$/i.test(color)) return undefined
  return { '--tint': color } as CSSProperties
}
