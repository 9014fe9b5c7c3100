/** Text chunks of PNG files (ISO/IEC 15948, 11.3.4): tEXt, zTXt and iTXt. */

import { FileError } from './errors'

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const MOST_TEXT_BYTES = 32 * 1024 * 1024

export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte)
}

/** The texts of a picture by their keyword; of a keyword that comes twice, the first. */
export async function pngTexts(bytes: Uint8Array): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const { type, data } of chunks(bytes)) {
    const found = await readText(type, data)
    if (found !== null && !texts.has(found.keyword)) texts.set(found.keyword, found.text)
  }
  return texts
}

interface Chunk {
  readonly type: string
  readonly data: Uint8Array
}

/** The chunks up to the end of the picture; throws if the file ends before. */
function* chunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = SIGNATURE.length
  while (offset + 12 <= bytes.length) {
    const length = view.getUint32(offset)
    const type = latin1(bytes.subarray(offset + 4, offset + 8))
    const end = offset + 8 + length
    if (end + 4 > bytes.length) throw new FileError('brokenPicture')
    yield { type, data: bytes.subarray(offset + 8, end) }
    if (type === 'IEND') return
    offset = end + 4
  }
  throw new FileError('brokenPicture')
}

interface Text {
  readonly keyword: string
  readonly text: string
}

async function readText(type: string, data: Uint8Array): Promise<Text | null> {
  if (type !== 'tEXt' && type !== 'zTXt' && type !== 'iTXt') return null
  const [keyword, rest] = split(data)
  if (rest === null) return null
  if (type === 'tEXt') return { keyword: latin1(keyword), text: utf8OrLatin1(rest) }
  const text = type === 'zTXt' ? await readCompressed(rest) : await readInternational(rest)
  return text === null ? null : { keyword: latin1(keyword), text }
}

/** The body of a zTXt chunk: a method, of which there is one, and a zlib stream. */
async function readCompressed(body: Uint8Array): Promise<string | null> {
  return body[0] === 0 ? utf8OrLatin1(await inflate(body.subarray(1))) : null
}

/** The body of an iTXt chunk: flag, method, language, translated keyword, UTF-8 text. */
async function readInternational(body: Uint8Array): Promise<string | null> {
  const [, afterLanguage] = split(body.subarray(2))
  const text = afterLanguage === null ? null : split(afterLanguage)[1]
  if (text === null) return null
  const compressed = body[0] === 1
  if (compressed && body[1] !== 0) return null
  return new TextDecoder().decode(compressed ? await inflate(text) : text)
}

/** What is before the first zero byte and what is after it, null if there is none. */
function split(bytes: Uint8Array): [before: Uint8Array, after: Uint8Array | null] {
  const zero = bytes.indexOf(0)
  return zero < 0 ? [bytes, null] : [bytes.subarray(0, zero), bytes.subarray(zero + 1)]
}

/** Undo zlib's compression; a text that grows beyond all measure is refused on the way. */
async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  const source = new Blob([bytes.slice()]).stream()
  const reader = source.pipeThrough(new DecompressionStream('deflate')).getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new FileError('brokenPicture')
    })
    if (done) break
    length += value.length
    if (length > MOST_TEXT_BYTES) {
      await reader.cancel()
      throw new FileError('tooLarge')
    }
    parts.push(value)
  }
  return new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer())
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}

/** The standard says Latin-1, many programs write UTF-8. */
function utf8OrLatin1(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return latin1(bytes)
  }
}
