/** The shape of wires. */

import type { Point } from '../types'

/** An SVG path that leaves to the right and arrives from the left. */
export function curve(x1: number, y1: number, x2: number, y2: number): string {
  const reach = pull(x2 - x1, Math.abs(y2 - y1))
  return `M${x1},${y1} C${x1 + reach},${y1} ${x2 - reach},${y2} ${x2},${y2}`
}

/** The same through points on the way: a curve for each stretch. */
export function curveThrough(points: readonly Point[]): string {
  const stretches = points.slice(1).map((to, index) => {
    const from = points[index] ?? to
    return curve(from.x, from.y, to.x, to.y)
  })
  return stretches.join(' ')
}

/** How far the ends are pulled out: softly ahead, in a wider loop where the wire leads back. */
function pull(ahead: number, aside: number): number {
  if (ahead >= 0) return Math.max(ahead * 0.45, Math.min(40, aside * 0.5 + ahead * 0.3))
  return Math.min(40 + Math.sqrt(-ahead) * 7, 240)
}
