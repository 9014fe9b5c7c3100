import { expect, test } from 'vitest'

import { isWebp, webpTexts } from './webp'

const encode = (text: string) => [...new TextEncoder().encode(text)]

function word(value: number, bytes: 2 | 4, little: boolean): number[] {
  const buffer = new DataView(new ArrayBuffer(bytes))
  if (bytes === 2) buffer.setUint16(0, value, little)
  else buffer.setUint32(0, value, little)
  return [...new Uint8Array(buffer.buffer)]
}

/** A TIFF structure whose first directory holds the texts. */
function tiff(texts: readonly string[], little: boolean): number[] {
  const data: number[] = []
  const start = 8 + 2 + texts.length * 12
  const entries = texts.flatMap((text, index) => {
    const bytes = [...encode(text), 0]
    const offset = start + data.length
    data.push(...bytes)
    return [
      ...word(0x0110 - index, 2, little),
      ...word(2, 2, little),
      ...word(bytes.length, 4, little),
      ...word(offset, 4, little),
    ]
  })
  const header = [...encode(little ? 'II' : 'MM'), ...word(42, 2, little), ...word(8, 4, little)]
  return [...header, ...word(texts.length, 2, little), ...entries, ...data]
}

function webp(exif: readonly number[]): Uint8Array {
  const chunk = (type: string, data: readonly number[]) => [
    ...encode(type),
    ...word(data.length, 4, true),
    ...data,
    ...(data.length % 2 === 1 ? [0] : []),
  ]
  const body = [...encode('WEBP'), ...chunk('VP8 ', [1, 2, 3]), ...chunk('EXIF', exif)]
  return new Uint8Array([...encode('RIFF'), ...word(body.length, 4, true), ...body])
}

const TEXTS = ['prompt:{"1": {}}', 'workflow:{"name": "고양이"}', 'Camera: none']

test.each([
  ['little-endian', tiff(TEXTS, true)],
  ['big-endian', tiff(TEXTS, false)],
  ['prefixed', [...encode('Exif\0\0'), ...tiff(TEXTS, true)]],
])('the texts of a %s block are found, other tags left', (_what, exif) => {
  const bytes = webp(exif)
  expect(isWebp(bytes)).toBe(true)
  expect(Object.fromEntries(webpTexts(bytes))).toEqual({
    prompt: '{"1": {}}',
    workflow: '{"name": "고양이"}',
  })
})

test('a picture without an EXIF block has no texts', () => {
  const bytes = new Uint8Array([...encode('RIFF'), 4, 0, 0, 0, ...encode('WEBP')])
  expect(webpTexts(bytes).size).toBe(0)
})

test('offsets that lead out of the block are refused', () => {
  const whole = tiff(TEXTS, true)
  for (const exif of [whole.slice(0, 30), whole.slice(0, 4), encode('nonsense')]) {
    expect(() => webpTexts(webp(exif))).toThrow('brokenPicture')
  }
})
