/** The values of seeds with which the workflow was queued last, to go back to one that was good. */

import { create } from 'zustand'

import { specFor } from '../catalog/primitive'
import { isControlled, readValue } from '../graph/slots'
import type { NodeId, Specs, Value, Workflow } from '../types'

type Values = ReadonlyMap<NodeId, Readonly<Record<string, Value>>>

const useStore = create<{ readonly values: Values }>(() => ({ values: new Map() }))

export function useLastQueued(node: NodeId, input: string): Value | undefined {
  return useStore(({ values }) => values.get(node)?.[input])
}

/** Take note of the seeds of a workflow that has just been queued. */
export function rememberQueued(workflow: Workflow, specs: Specs): void {
  const values = workflow.nodes.flatMap((node) => {
    const spec = specFor(node, workflow, specs)
    const seeds = spec?.inputs.filter(({ widget }) => widget && isControlled(widget)) ?? []
    if (!spec || seeds.length === 0) return []
    const read = seeds.map((input) => [input.name, readValue(node, spec, input)] as const)
    return [[node.id, Object.fromEntries(read)] as const]
  })
  useStore.setState({ values: new Map(values) })
}

/** Forget everything: another workflow is shown. */
export function forgetQueued(): void {
  useStore.setState({ values: new Map() })
}
