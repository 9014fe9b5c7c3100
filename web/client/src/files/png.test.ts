import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'

import { isPng, pngTexts } from './png'

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const encode = (text: string) => [...new TextEncoder().encode(text)]

function chunk(type: string, data: readonly number[]): number[] {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, data.length)
  return [...length, ...encode(type), ...data, 0, 0, 0, 0]
}

function png(...chunks: readonly number[][]): Uint8Array {
  return new Uint8Array([...SIGNATURE, ...chunks.flat(), ...chunk('IEND', [])])
}

const keyword = (text: string) => [...encode(text), 0]
const deflated = (text: string) => [...deflateSync(text)]

test('plain, compressed and international texts are found', async () => {
  const bytes = png(
    chunk('IHDR', [1, 2, 3]),
    chunk('tEXt', [...keyword('workflow'), ...encode('{"nodes": []}')]),
    chunk('zTXt', [...keyword('prompt'), 0, ...deflated('{"1": {}}')]),
    chunk('iTXt', [
      ...keyword('note'),
      0,
      0,
      ...keyword('ko'),
      ...keyword('메모'),
      ...encode('고양이'),
    ]),
    chunk('iTXt', [...keyword('packed'), 1, 0, 0, 0, ...deflated('고양이')]),
  )
  expect(isPng(bytes)).toBe(true)
  expect(Object.fromEntries(await pngTexts(bytes))).toEqual({
    workflow: '{"nodes": []}',
    prompt: '{"1": {}}',
    note: '고양이',
    packed: '고양이',
  })
})

test('a plain text is read as UTF-8 where it is, else as Latin-1', async () => {
  const texts = await pngTexts(
    png(
      chunk('tEXt', [...keyword('utf8'), ...encode('é')]),
      chunk('tEXt', [...keyword('latin1'), 0xe9]),
    ),
  )
  expect([texts.get('utf8'), texts.get('latin1')]).toEqual(['é', 'é'])
})

test('of a keyword that comes twice the first counts', async () => {
  const bytes = png(
    chunk('tEXt', [...keyword('workflow'), ...encode('first')]),
    chunk('tEXt', [...keyword('workflow'), ...encode('second')]),
  )
  expect((await pngTexts(bytes)).get('workflow')).toBe('first')
})

test('a picture that is cut short is refused', async () => {
  const bytes = png(chunk('tEXt', [...keyword('workflow'), ...encode('{"nodes": []}')]))
  for (const length of [8, 20, bytes.length - 12]) {
    await expect(pngTexts(bytes.subarray(0, length))).rejects.toMatchObject({
      fault: 'brokenPicture',
    })
  }
})

test('a damaged compressed text is refused', async () => {
  const bytes = png(chunk('zTXt', [...keyword('workflow'), 0, 1, 2, 3]))
  await expect(pngTexts(bytes)).rejects.toMatchObject({ fault: 'brokenPicture' })
})

test('a text that unpacks beyond all measure is refused', async () => {
  const bomb = [...deflateSync(Buffer.alloc(40 * 1024 * 1024))]
  const bytes = png(chunk('zTXt', [...keyword('workflow'), 0, ...bomb]))
  await expect(pngTexts(bytes)).rejects.toMatchObject({ fault: 'tooLarge' })
})
