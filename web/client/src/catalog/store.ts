/** The catalog store: what nodes there are, as the server's worker tells it. */

import { create } from 'zustand'

import { getObjectInfo } from '../api/client'
import { bare } from '../graph/names'
import type { NodeSpec, Specs, Value } from '../types'
import { loadPackFailures } from './packs'
import { parseCatalog } from './parse'
import { VIRTUAL } from './virtual'

export interface CatalogState {
  readonly specs: Specs
  /** `loading` until the worker has told its nodes for the first time. */
  readonly state: 'loading' | 'ready' | 'failed'
  /** Why loading failed, in the server's words. */
  readonly error: string
}

export const useCatalog = create<CatalogState>(() => ({
  specs: bare(VIRTUAL),
  state: 'loading',
  error: '',
}))

export function useSpec(type: string): NodeSpec | undefined {
  return useCatalog((catalog) => catalog.specs[type])
}

/** Ask the server for its nodes; what is known stays until the answer is there. */
export async function loadCatalog(): Promise<void> {
  try {
    const info = (await getObjectInfo()) as Value
    useCatalog.setState({ specs: bare(parseCatalog(info), VIRTUAL), state: 'ready', error: '' })
    void loadPackFailures()
  } catch (reason) {
    const error = reason instanceof Error ? reason.message : String(reason)
    useCatalog.setState(({ state }) => ({ state: state === 'ready' ? state : 'failed', error }))
  }
}

/** Offer an uploaded picture in every image input, without asking the server again. */
export function offerImage(name: string): void {
  useCatalog.setState(({ specs }) => ({
    specs: bare(
      Object.fromEntries(
        Object.entries(specs).map(([type, spec]) => [type, withImage(spec, name)]),
      ),
    ),
  }))
}

function withImage(spec: NodeSpec, name: string): NodeSpec {
  const offers = spec.inputs.some(({ widget }) => widget?.kind === 'image')
  if (!offers) return spec
  const inputs = spec.inputs.map((input) => {
    const { widget } = input
    if (widget?.kind !== 'image' || widget.options.includes(name)) return input
    return { ...input, widget: { ...widget, options: [...widget.options, name] } }
  })
  return { ...spec, inputs }
}
