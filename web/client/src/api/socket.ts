/** The WebSocket to the server: opened again with a growing delay whenever it closes. */

import { parseFrame } from './frames'
import type { PreviewFrame, ServerMessage } from './messages'

const FIRST_DELAY_MS = 400
const LONGEST_DELAY_MS = 8000

/** Why the server closes a connection when another one comes with the same client id. */
const TAKEN_OVER = 'Another connection took over.'

/** Flags that must be the first thing said: previews come with the node they belong to. */
const FEATURE_FLAGS = { type: 'feature_flags', data: { supports_preview_metadata: true } }

export interface SocketListener {
  readonly opened: () => void
  readonly closed: () => void
  /** Somebody else uses the client's id: the next connection needs another. */
  readonly takenOver: () => void
  readonly message: (message: ServerMessage) => void
  readonly preview: (frame: PreviewFrame) => void
}

/** Milliseconds to wait before the given attempt (1, 2, …): doubling, with a ceiling. */
export function retryDelay(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS)
}

/** Listen to the server, under the id that the client then has, until the result is called. */
export function connect(clientId: () => string, listener: SocketListener): () => void {
  let socket: WebSocket | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let attempt = 0
  let stopped = false

  const open = () => {
    const current = new WebSocket(socketUrl(clientId()))
    socket = current
    current.binaryType = 'arraybuffer'
    current.onopen = () => {
      attempt = 0
      current.send(JSON.stringify(FEATURE_FLAGS))
      listener.opened()
    }
    current.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => deliver(data, listener)
    current.onclose = ({ reason }: Pick<CloseEvent, 'reason'>) => {
      if (stopped) return
      attempt += 1
      if (reason === TAKEN_OVER) listener.takenOver()
      listener.closed()
      timer = setTimeout(open, retryDelay(attempt))
    }
  }
  open()

  return () => {
    stopped = true
    clearTimeout(timer)
    socket?.close()
  }
}

function socketUrl(clientId: string): string {
  const url = new URL('ws', document.baseURI)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.searchParams.set('clientId', clientId)
  return url.href
}

function deliver(data: string | ArrayBuffer, listener: SocketListener): void {
  if (typeof data === 'string') {
    listener.message(JSON.parse(data) as ServerMessage)
    return
  }
  const frame = parseFrame(data)
  if (frame !== null) listener.preview(frame)
}
