import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { connect, retryDelay } from './socket'

class FakeSocket {
  static readonly made: FakeSocket[] = []
  readonly url: string
  readonly sent: string[] = []
  onopen: () => void = () => undefined
  onclose: (event: { reason: string }) => void = () => undefined
  onmessage: (event: { data: string | ArrayBuffer }) => void = () => undefined
  close = vi.fn()

  constructor(url: string) {
    this.url = url
    FakeSocket.made.push(this)
  }

  send(text: string): void {
    this.sent.push(text)
  }
}

const listener = {
  opened: vi.fn(),
  closed: vi.fn(),
  takenOver: vi.fn(),
  message: vi.fn(),
  preview: vi.fn(),
}

function socket(index: number): FakeSocket {
  const found = FakeSocket.made[index]
  if (!found) throw new Error(`there is no socket ${index}`)
  return found
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.stubGlobal('document', { baseURI: 'http://127.0.0.1:8188/weft/' })
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.clearAllMocks()
  FakeSocket.made.length = 0
})

test('the first thing said is that previews may carry metadata', () => {
  connect(() => 'me', listener)
  expect(socket(0).url).toBe('ws://127.0.0.1:8188/weft/ws?clientId=me')
  socket(0).onopen()
  expect(JSON.parse(socket(0).sent[0] ?? '')).toEqual({
    type: 'feature_flags',
    data: { supports_preview_metadata: true },
  })
})

test('a lost connection is opened again, each time later, until it is stopped', () => {
  const stop = connect(() => 'me', listener)
  socket(0).onclose({ reason: '' })
  expect(listener.closed).toHaveBeenCalledOnce()
  vi.advanceTimersByTime(retryDelay(1))
  socket(1).onclose({ reason: '' })
  vi.advanceTimersByTime(retryDelay(1))
  expect(FakeSocket.made).toHaveLength(2)
  vi.advanceTimersByTime(retryDelay(2) - retryDelay(1))
  expect(FakeSocket.made).toHaveLength(3)
  stop()
  socket(2).onclose({ reason: '' })
  vi.advanceTimersByTime(60_000)
  expect(FakeSocket.made).toHaveLength(3)
})

test('delays double up to a ceiling', () => {
  expect([1, 2, 3].map(retryDelay)).toEqual([400, 800, 1600])
  expect(retryDelay(50)).toBe(8000)
})

test('text frames arrive as messages', () => {
  connect(() => 'me', listener)
  socket(0).onmessage({ data: '{"type":"worker","data":{"state":"ready","detail":""}}' })
  expect(listener.message).toHaveBeenCalledWith({
    type: 'worker',
    data: { state: 'ready', detail: '' },
  })
})

test('a client whose id somebody else took asks for another one', () => {
  let id = 'mine'
  const takenOver = vi.fn(() => {
    id = 'other'
  })
  connect(() => id, { ...listener, takenOver })
  socket(0).onclose({ reason: 'Another connection took over.' })
  vi.advanceTimersByTime(retryDelay(1))
  expect(takenOver).toHaveBeenCalledOnce()
  expect(socket(1).url).toContain('clientId=other')
})
