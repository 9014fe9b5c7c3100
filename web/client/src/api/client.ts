/** The server's routes as typed functions; each throws an ApiError if the server says no. */

import { parseJson } from '../graph/json'
import type { JsonObject, Value } from '../types'
import { apiUrl, getJson, postJson, request } from './http'
import { historyEntries, queueSnapshot, type RawHistory, type RawQueue } from './jobs'
import type { ImageRef, WorkerStatus } from './messages'
import type {
  HistoryEntry,
  NodeErrors,
  PackFailure,
  QueueSnapshot,
  RequestError,
  Submitted,
} from './types'

export interface SubmitOptions {
  readonly clientId: string
  /** Run before everything that waits. */
  readonly front?: boolean
  /** False asks for no previews; else the server makes them as it was told to. */
  readonly previews?: boolean
}

interface PromptAnswer {
  readonly prompt_id?: string
  readonly error?: RequestError | string
  readonly node_errors?: NodeErrors
}

/** Queue a workflow. A refusal for what is in the workflow is an answer, not an exception. */
export async function submitWorkflow(
  workflow: JsonObject,
  { clientId, front = false, previews = true }: SubmitOptions,
): Promise<Submitted> {
  const body = {
    workflow,
    client_id: clientId,
    ...(previews ? {} : { extra_data: { preview_method: 'none' } }),
    ...(front ? { front } : {}),
  }
  const answer = (await (await postJson('prompt', body, [400])).json()) as PromptAnswer
  const nodeErrors = answer.node_errors ?? {}
  if (answer.prompt_id !== undefined) {
    return { accepted: true, jobId: answer.prompt_id, nodeErrors }
  }
  const error =
    typeof answer.error === 'object'
      ? answer.error
      : { type: 'refused', message: answer.error ?? '', details: '' }
  return { accepted: false, error, nodeErrors }
}

/** All node declarations; waits until the worker has told its nodes. */
export function getObjectInfo(): Promise<unknown> {
  return getJson('object_info')
}

/** The packs of custom nodes that did not load, or only in part. */
export async function getPackFailures(): Promise<readonly PackFailure[]> {
  return ((await getJson('weft/packs')) as { failures: readonly PackFailure[] }).failures
}

/** The workflow shown on first load. */
export async function getDefaultWorkflow(): Promise<Value> {
  return parseJson(await (await request('weft/default-workflow')).text())
}

export async function getStatus(): Promise<{ worker: WorkerStatus; version: string }> {
  return (await getJson('weft/status')) as { worker: WorkerStatus; version: string }
}

export async function getQueue(): Promise<QueueSnapshot> {
  return queueSnapshot((await getJson('queue')) as RawQueue)
}

/** The last jobs that have ended, newest first. */
export async function getHistory(limit: number): Promise<HistoryEntry[]> {
  return historyEntries((await getJson(`history?max_items=${limit}`)) as RawHistory)
}

/** One ended job, or null if the history does not hold it. */
export async function getHistoryEntry(jobId: string): Promise<HistoryEntry | null> {
  const raw = (await getJson(`history/${encodeURIComponent(jobId)}`)) as RawHistory
  return historyEntries(raw)[0] ?? null
}

/** The workflow that a finished job was queued with, or null if it came without one. */
export async function getJobWorkflow(jobId: string): Promise<Value | null> {
  const text = await (await request(`history/${encodeURIComponent(jobId)}`)).text()
  const entries = JSON.parse(text) as RawHistory
  if (entries[jobId]?.prompt[3].extra_pnginfo?.workflow === undefined) return null
  const exact = parseJson(text) as unknown as Record<string, { prompt: [0, 0, 0, ExactExtra] }>
  return exact[jobId]?.prompt[3].extra_pnginfo.workflow ?? null
}

interface ExactExtra {
  readonly extra_pnginfo: { readonly workflow: Value }
}

/** Stop a job at its next step; without an id, whatever runs. */
export async function interrupt(jobId?: string): Promise<void> {
  await postJson('interrupt', jobId === undefined ? {} : { prompt_id: jobId })
}

/** Take jobs out of the queue before they run. */
export async function cancelJobs(jobIds: readonly string[]): Promise<void> {
  await postJson('queue', { delete: jobIds })
}

export async function clearQueue(): Promise<void> {
  await postJson('queue', { clear: true })
}

export async function deleteHistory(jobIds: readonly string[]): Promise<void> {
  await postJson('history', { delete: jobIds })
}

export async function clearHistory(): Promise<void> {
  await postJson('history', { clear: true })
}

/** Put a picture into the input folder; the answer tells the name it got there. */
export async function uploadImage(file: File): Promise<{ name: string; subfolder: string }> {
  const body = new FormData()
  body.append('image', file)
  const response = await request('upload/image', { method: 'POST', body })
  return (await response.json()) as { name: string; subfolder: string }
}

/** The address of a picture; `thumbnail` asks for a small lossy copy of it. */
export function viewUrl(image: ImageRef, { thumbnail = false } = {}): string {
  const { filename, subfolder, type } = image
  const query = { filename, subfolder, type }
  return apiUrl('view', thumbnail ? { ...query, preview: 'webp;80' } : query)
}
