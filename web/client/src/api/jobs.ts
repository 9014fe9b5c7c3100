/** Jobs as /queue and /history write them, read into plain objects. */

import type { NodeOutput } from './messages'
import type { ApiGraph, ExtraData, HistoryEntry, JobItem, QueueSnapshot } from './types'

type RawItem = readonly [
  number: number,
  jobId: string,
  graph: ApiGraph,
  extra: ExtraData,
  targets: readonly string[],
]

export interface RawQueue {
  readonly queue_running: readonly RawItem[]
  readonly queue_pending: readonly RawItem[]
}

type RawMessage = readonly [
  type: string,
  data: {
    readonly timestamp?: number
    readonly node_id?: string | null
    readonly exception_message?: string
  },
]

export type RawHistory = Readonly<
  Record<
    string,
    {
      readonly prompt: RawItem
      readonly outputs: Readonly<Record<string, NodeOutput>>
      readonly status?: {
        readonly status_str: string
        readonly messages: readonly RawMessage[]
      } | null
      /** The nodes that others have expanded into, and where their outputs are shown. */
      readonly meta?: Readonly<Record<string, { readonly display_node?: string }>>
    }
  >
>

function jobItem([number, jobId, graph, extra, targets]: RawItem): JobItem {
  return { number, jobId, graph, extra, targets }
}

/** The queue in the order in which the jobs will run. */
export function queueSnapshot({ queue_running, queue_pending }: RawQueue): QueueSnapshot {
  return {
    running: queue_running.map(jobItem),
    pending: queue_pending.map(jobItem).sort((a, b) => a.number - b.number),
  }
}

/** Finished jobs, newest first. */
export function historyEntries(raw: RawHistory): HistoryEntry[] {
  return Object.values(raw).map(historyEntry).reverse()
}

function historyEntry({ prompt, outputs, status, meta }: RawHistory[string]): HistoryEntry {
  const messages = status?.messages ?? []
  const failure = messages.find(([type]) => type === 'execution_error')?.[1]
  return {
    job: jobItem(prompt),
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([id, output]) => [meta?.[id]?.display_node ?? id, output]),
    ),
    succeeded: status?.status_str === 'success',
    interrupted: messages.some(([type]) => type === 'execution_interrupted'),
    finishedAt: messages.at(-1)?.[1].timestamp ?? null,
    error:
      failure === undefined
        ? null
        : { nodeId: failure.node_id ?? '', message: failure.exception_message ?? '' },
  }
}
