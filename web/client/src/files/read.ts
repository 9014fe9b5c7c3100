/** Open a workflow from a file: its JSON, a graph in API format, or a picture that carries one. */

import { parseJson } from '../graph/json'
import { parseWorkflow } from '../graph/serial'
import type { Specs, Value, Workflow } from '../types'
import { layOut } from './apiGraph'
import { FileError } from './errors'
import { isApiGraph } from './format'
import { isPng, pngTexts } from './png'
import { isWebp, webpTexts } from './webp'

const MOST_JSON_BYTES = 64 * 1024 * 1024
const MOST_PICTURE_BYTES = 256 * 1024 * 1024

/** The workflow in a file; throws a FileError or a WorkflowError that says what is wrong. */
export async function readWorkflow(file: File, specs: Specs): Promise<Workflow> {
  if (file.size > MOST_PICTURE_BYTES) throw new FileError('tooLarge')
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (isPng(bytes)) return fromTexts(await pngTexts(bytes), specs)
  if (isWebp(bytes)) return fromTexts(webpTexts(bytes), specs)
  if (file.type.startsWith('image/')) throw new FileError('unknownKind')
  if (file.size > MOST_JSON_BYTES) throw new FileError('tooLarge')
  return textToWorkflow(new TextDecoder().decode(bytes), specs)
}

/** The workflow in a JSON text, which may be a document of the editor or a graph in API format. */
export function textToWorkflow(text: string, specs: Specs): Workflow {
  return toWorkflow(parsed(text), specs)
}

/** True for a text that is worth a try: pasted words are not. */
export function looksLikeWorkflow(text: string): boolean {
  return /^\s*\{/.test(text) && /"(?:nodes|class_type)"\s*:/.test(text)
}

/** A picture tells what the editor showed and what ran; the former has the layout. */
function fromTexts(texts: ReadonlyMap<string, string>, specs: Specs): Workflow {
  const text = texts.get('workflow') ?? texts.get('prompt')
  if (text === undefined) throw new FileError('pictureWithoutWorkflow')
  return textToWorkflow(text, specs)
}

function parsed(text: string): Value {
  try {
    return parseJson(text)
  } catch (error) {
    if (!/^\s*[[{"]/.test(text)) throw new FileError('unknownKind')
    throw new FileError('brokenJson', error instanceof Error ? error.message : '')
  }
}

function toWorkflow(value: Value, specs: Specs): Workflow {
  return isApiGraph(value) ? layOut(value, specs) : parseWorkflow(value)
}
