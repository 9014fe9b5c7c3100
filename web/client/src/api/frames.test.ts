import { expect, test } from 'vitest'

import { parseFrame } from './frames'

const PIXELS = [0xff, 0xd8, 0xff, 0xe0]

/** A frame: big-endian words, then bytes. */
function frame(words: readonly number[], bytes: readonly number[] = []): ArrayBuffer {
  const buffer = new ArrayBuffer(words.length * 4 + bytes.length)
  const view = new DataView(buffer)
  words.forEach((word, index) => view.setUint32(index * 4, word))
  new Uint8Array(buffer, words.length * 4).set(bytes)
  return buffer
}

function frameWithMetadata(metadata: unknown): ArrayBuffer {
  const json = [...new TextEncoder().encode(JSON.stringify(metadata))]
  return frame([4, json.length], [...json, ...PIXELS])
}

async function bytesOf(image: Blob | undefined): Promise<number[]> {
  return [...new Uint8Array((await image?.arrayBuffer()) ?? new ArrayBuffer(0))]
}

test('a plain preview is a picture of the node that runs', async () => {
  const preview = parseFrame(frame([1, 2], PIXELS))
  expect(preview).toMatchObject({ nodeId: null, jobId: null })
  expect(preview?.image.type).toBe('image/png')
  expect(await bytesOf(preview?.image)).toEqual(PIXELS)
})

test('a preview with metadata names its node and job', async () => {
  const preview = parseFrame(
    frameWithMetadata({
      node_id: '3.0.1',
      display_node_id: '3',
      prompt_id: 'j',
      image_type: 'image/jpeg',
    }),
  )
  expect(preview).toMatchObject({ nodeId: '3', jobId: 'j' })
  expect(preview?.image.type).toBe('image/jpeg')
  expect(await bytesOf(preview?.image)).toEqual(PIXELS)
})

test.each([
  ['empty', new ArrayBuffer(0)],
  ['of an unknown kind', frame([9, 1], PIXELS)],
  ['of an unknown picture format', frame([1, 7], PIXELS)],
  ['whose metadata is cut short', frame([4, 400], PIXELS)],
  ['whose metadata is no JSON', frame([4, 4], [...PIXELS, ...PIXELS])],
  ['whose metadata is null', frameWithMetadata(null)],
])('a frame that is %s is no preview', (_what, buffer) => {
  expect(parseFrame(buffer)).toBeNull()
})
