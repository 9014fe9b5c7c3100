/**
 * What the server says over the WebSocket, a type per message: ComfyUI's, and Weft's `worker` and
 * `notices`.
 */

/** A picture that the server holds; `viewUrl` makes an address of it. */
export interface ImageRef {
  readonly filename: string
  readonly subfolder: string
  readonly type: 'output' | 'input' | 'temp'
}

/** What a node shows in the editor after it has run. */
export interface NodeOutput {
  readonly images?: readonly ImageRef[]
  readonly [kind: string]: unknown
}

export interface WorkerStatus {
  readonly state: 'starting' | 'ready' | 'restarting' | 'failed'
  readonly detail: string
}

/** Something that is not as it should be with the queue on the server's disk. */
export interface ServerNotice {
  readonly kind: 'queue_damaged' | 'disk_refuses'
  readonly message: string
}

export interface NodeProgressState {
  readonly value: number
  readonly max: number
  readonly state: 'pending' | 'running' | 'finished' | 'error'
  /** The node that this one is shown as, where another has expanded into it. */
  readonly display_node_id?: string
}

export interface ExecutionError {
  readonly prompt_id: string
  /** Null where no node is to blame, e.g. when the worker died between two. */
  readonly node_id: string | null
  readonly node_type: string
  readonly exception_message: string
  readonly exception_type: string
  readonly traceback: readonly string[]
}

/** Whether a node was only kept from running, with a message, while its job goes on. */
export function isBlocked(error: ExecutionError): boolean {
  return error.exception_type === 'ExecutionBlocked'
}

interface Payloads {
  status: { status: { exec_info: { queue_remaining: number } }; sid?: string }
  feature_flags: Readonly<Record<string, unknown>>
  worker: WorkerStatus
  notices: { notices: readonly ServerNotice[] }
  execution_start: { prompt_id: string }
  execution_cached: { prompt_id: string; nodes: readonly string[] }
  executing: { prompt_id: string; node: string | null; display_node?: string }
  progress: { prompt_id: string; node: string; value: number; max: number }
  progress_state: { prompt_id: string; nodes: Readonly<Record<string, NodeProgressState>> }
  executed: {
    prompt_id: string
    node: string
    display_node?: string
    output: NodeOutput | null
  }
  execution_success: { prompt_id: string }
  execution_error: ExecutionError
  execution_interrupted: { prompt_id: string; node_id: string | null }
}

/** A text frame. */
export type ServerMessage = {
  [Type in keyof Payloads]: { readonly type: Type; readonly data: Readonly<Payloads[Type]> }
}[keyof Payloads]

/** A binary frame that this client understands: a picture of an unfinished latent. */
export interface PreviewFrame {
  /** Null in frames without metadata: the node that is running is meant. */
  readonly nodeId: string | null
  readonly jobId: string | null
  readonly image: Blob
}
