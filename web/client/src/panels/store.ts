/** What is open around the canvas. */

import { create } from 'zustand'

import type { ImageRef } from '../api/messages'
import type { JobId } from '../run/state'

export type SideTab = 'pictures' | 'problems'

/** A picture that can be viewed; its job knows the workflow it came from. */
export interface ViewedPicture {
  readonly image: ImageRef
  readonly jobId: JobId | null
}

interface Viewing {
  readonly pictures: readonly ViewedPicture[]
  readonly index: number
}

export interface PanelState {
  readonly side: SideTab | null
  readonly viewing: Viewing | null
  readonly settings: boolean
}

export const usePanels = create<PanelState>(() => ({ side: null, viewing: null, settings: false }))

/** Open a tab of the side panel, or close the panel if that tab is open. */
export function toggleSide(tab: SideTab): void {
  usePanels.setState(({ side }) => ({ side: side === tab ? null : tab }))
}

export function viewPictures(pictures: readonly ViewedPicture[], index: number): void {
  usePanels.setState({ viewing: { pictures, index } })
}

/** Turn to another picture; beyond the last comes the first. */
export function turn(by: number): void {
  usePanels.setState(({ viewing }) => {
    if (viewing === null) return {}
    const { pictures, index } = viewing
    return { viewing: { pictures, index: (index + by + pictures.length) % pictures.length } }
  })
}
