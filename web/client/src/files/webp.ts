/** Texts in the EXIF block of WebP files: ASCII tags that hold `workflow:{…}` and `prompt:{…}`. */

import { FileError } from './errors'

const ASCII = 2
const KEYWORDS = ['workflow', 'prompt']

export function isWebp(bytes: Uint8Array): boolean {
  return ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP'
}

/** The texts of a picture by their keyword. */
export function webpTexts(bytes: Uint8Array): Map<string, string> {
  const texts = new Map<string, string>()
  const exif = exifOf(bytes)
  if (exif === null) return texts
  for (const value of tiffTexts(exif)) {
    const colon = value.indexOf(':')
    const keyword = value.slice(0, colon).toLowerCase()
    if (colon > 0 && KEYWORDS.includes(keyword)) texts.set(keyword, value.slice(colon + 1))
  }
  return texts
}

/** The TIFF structure in the EXIF chunk of a RIFF file. */
function exifOf(bytes: Uint8Array): Uint8Array | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 12
  while (offset + 8 <= bytes.length) {
    const length = view.getUint32(offset + 4, true)
    const start = offset + 8
    if (start + length > bytes.length) throw new FileError('brokenPicture')
    if (ascii(bytes, offset, offset + 4) === 'EXIF') {
      const prefix = ascii(bytes, start, start + 6) === 'Exif\0\0' ? 6 : 0
      return bytes.subarray(start + prefix, start + length)
    }
    offset = start + length + (length % 2)
  }
  return null
}

/** All ASCII values of the first directory of a TIFF structure (TIFF 6.0, section 2). */
function tiffTexts(tiff: Uint8Array): string[] {
  const order = ascii(tiff, 0, 2)
  if (tiff.length < 8 || (order !== 'II' && order !== 'MM')) throw new FileError('brokenPicture')
  const little = order === 'II'
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength)
  const directory = view.getUint32(4, little)
  if (directory + 2 > tiff.length) throw new FileError('brokenPicture')
  const count = view.getUint16(directory, little)
  const texts: string[] = []
  for (let index = 0; index < count; index += 1) {
    const entry = directory + 2 + index * 12
    if (entry + 12 > tiff.length) throw new FileError('brokenPicture')
    if (view.getUint16(entry + 2, little) !== ASCII) continue
    const length = view.getUint32(entry + 4, little)
    const start = length <= 4 ? entry + 8 : view.getUint32(entry + 8, little)
    if (start + length > tiff.length) throw new FileError('brokenPicture')
    texts.push(textOf(tiff.subarray(start, start + length)))
  }
  return texts
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/\0+$/, '')
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end))
}
