/** What the HTTP routes take and give, in ComfyUI's shapes. */

import type { NodeOutput } from './messages'

/** The editor's document as it is saved and sent; only its id matters here. */
export interface WorkflowDocument {
  readonly id?: string
  readonly [key: string]: unknown
}

/** One problem as the server words it. */
export interface RequestError {
  readonly type: string
  readonly message: string
  readonly details: string
  readonly extra_info?: { readonly input_name?: string; readonly [key: string]: unknown }
}

export type NodeErrors = Readonly<
  Record<string, { readonly errors: readonly RequestError[]; readonly class_type: string }>
>

/** The answer to POST /prompt, accepted (perhaps only in part) or refused. */
export type Submitted =
  | { readonly accepted: true; readonly jobId: string; readonly nodeErrors: NodeErrors }
  | { readonly accepted: false; readonly error: RequestError; readonly nodeErrors: NodeErrors }

/** A graph in API format: what is executed. */
export type ApiGraph = Readonly<
  Record<
    string,
    {
      readonly class_type: string
      readonly inputs: Readonly<Record<string, unknown>>
      readonly _meta?: { readonly title?: string }
    }
  >
>

export interface ExtraData {
  readonly client_id?: string
  readonly extra_pnginfo?: { readonly workflow?: WorkflowDocument }
}

/** A job as /queue and /history tell it. */
export interface JobItem {
  readonly jobId: string
  readonly number: number
  readonly graph: ApiGraph
  readonly extra: ExtraData
  readonly targets: readonly string[]
}

export interface QueueSnapshot {
  readonly running: readonly JobItem[]
  readonly pending: readonly JobItem[]
}

export interface HistoryEntry {
  readonly job: JobItem
  readonly outputs: Readonly<Record<string, NodeOutput>>
  readonly succeeded: boolean
  readonly interrupted: boolean
  /** Milliseconds since 1970 at the end of the run, where the server tells it. */
  readonly finishedAt: number | null
  readonly error: { readonly nodeId: string; readonly message: string } | null
}

/** A pack of custom nodes that did not load, with the traceback or the sentence that says why. */
export interface PackFailure {
  readonly name: string
  readonly problem: string
}
