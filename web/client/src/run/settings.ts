/** Whether live previews are asked for; remembered in this browser. */

import { create } from 'zustand'

const PREVIEWS_KEY = 'weft.previews'

export const usePreviews = create<{ readonly enabled: boolean }>(() => ({ enabled: true }))

export function recallPreviews(): void {
  usePreviews.setState({ enabled: localStorage.getItem(PREVIEWS_KEY) !== 'off' })
}

export function enablePreviews(enabled: boolean): void {
  localStorage.setItem(PREVIEWS_KEY, enabled ? 'on' : 'off')
  usePreviews.setState({ enabled })
}
