/** Binary WebSocket frames: a big-endian uint32 says what follows. */

import type { PreviewFrame } from './messages'

const PREVIEW = 1
const PREVIEW_WITH_METADATA = 4
const MIME_TYPES: Readonly<Record<number, string>> = { 1: 'image/jpeg', 2: 'image/png' }

interface PreviewMetadata {
  readonly node_id?: string
  readonly display_node_id?: string
  readonly prompt_id?: string
  readonly image_type?: string
}

/** The preview in a frame; null for a frame of another kind, or one that is cut short. */
export function parseFrame(buffer: ArrayBuffer): PreviewFrame | null {
  if (buffer.byteLength < 8) return null
  const view = new DataView(buffer)
  const event = view.getUint32(0)
  const second = view.getUint32(4)
  if (event === PREVIEW) {
    const type = MIME_TYPES[second]
    if (type === undefined) return null
    return { nodeId: null, jobId: null, image: new Blob([buffer.slice(8)], { type }) }
  }
  if (event === PREVIEW_WITH_METADATA && buffer.byteLength >= 8 + second) {
    return withMetadata(buffer.slice(8, 8 + second), buffer.slice(8 + second))
  }
  return null
}

function withMetadata(json: ArrayBuffer, image: ArrayBuffer): PreviewFrame | null {
  const metadata = readMetadata(json)
  if (metadata === null) return null
  return {
    nodeId: metadata.display_node_id ?? metadata.node_id ?? null,
    jobId: metadata.prompt_id ?? null,
    image: new Blob([image], { type: metadata.image_type ?? 'image/jpeg' }),
  }
}

function readMetadata(json: ArrayBuffer): PreviewMetadata | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(json))
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
