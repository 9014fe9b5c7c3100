/** The packs store: what of the custom nodes did not load. */

import { create } from 'zustand'

import { getPackFailures } from '../api/client'
import type { PackFailure } from '../api/types'

interface PackState {
  readonly failures: readonly PackFailure[]
}

export const usePacks = create<PackState>(() => ({ failures: [] }))

/** Ask the server which packs failed; what is known stays if it does not answer. */
export async function loadPackFailures(): Promise<void> {
  try {
    usePacks.setState({ failures: await getPackFailures() })
  } catch {
    // Whoever asked for the nodes a moment before has told that the server cannot be reached.
  }
}
