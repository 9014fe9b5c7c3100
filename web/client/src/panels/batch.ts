/** How many times one press of Queue queues the workflow. */

import { create } from 'zustand'

export const MOST = 100

export const useBatch = create<{ readonly count: number }>(() => ({ count: 1 }))

export function setBatch(count: number): void {
  useBatch.setState({ count: Math.min(Math.max(Math.round(count) || 1, 1), MOST) })
}
