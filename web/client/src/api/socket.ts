/** The WebSocket to the server: opened again with a growing delay whenever it closes. */

import { parseFrame } from './frames'
import type { PreviewFrame, ServerMessage } from './messages'

const FIRST_DELAY_MS = 400
const LONGEST_DELAY_MS = 8000
const CLIENT_ID_KEY = 'weft.clientId'

/** Flags that must be the first thing said: previews come with the node they belong to. */
const FEATURE_FLAGS = { type: 'feature_flags', data: { supports_preview_metadata: true } }

export interface SocketListener {
  readonly opened: () => void
  readonly closed: () => void
  readonly message: (message: ServerMessage) => void
  readonly preview: (frame: PreviewFrame) => void
}

/** Milliseconds to wait before the given attempt (1, 2, …): doubling, with a ceiling. */
export function retryDelay(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS)
}

/** This tab's name at the server: kept over a reload, so that a running job finds it again. */
export function clientIdOf(storage: Pick<Storage, 'getItem' | 'setItem'>): string {
  const stored = storage.getItem(CLIENT_ID_KEY)
  if (stored !== null) return stored
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  storage.setItem(CLIENT_ID_KEY, made)
  return made
}

/** Listen to the server until the returned function is called. */
export function connect(clientId: string, listener: SocketListener): () => void {
  let socket: WebSocket | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let attempt = 0
  let stopped = false

  const open = () => {
    const current = new WebSocket(socketUrl(clientId))
    socket = current
    current.binaryType = 'arraybuffer'
    current.onopen = () => {
      attempt = 0
      current.send(JSON.stringify(FEATURE_FLAGS))
      listener.opened()
    }
    current.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => deliver(data, listener)
    current.onclose = () => {
      if (stopped) return
      attempt += 1
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
