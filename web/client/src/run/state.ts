/** What the editor knows about running jobs: the shapes that the run store holds. */

import type { ImageRef, NodeOutput, ServerNotice, WorkerStatus } from '../api/messages'
import type { HistoryEntry, QueueSnapshot } from '../api/types'
import { bare } from '../graph/names'

export type NodeId = string
export type JobId = string

export interface Progress {
  readonly value: number
  readonly max: number
}

/** One thing that is wrong with a node; `input` is null where the node as a whole is meant. */
export interface Problem {
  readonly nodeId: NodeId
  readonly input: string | null
  /** The server's kind of problem, e.g. `value_not_in_list`; `execution` for one while running. */
  readonly kind: string
  readonly message: string
  readonly details: string
  /** What the words about it are made of: the value, its limits, the types that do not fit. */
  readonly values: Readonly<Record<string, string>>
}

/** How one node fares; the object stays the same until something about this node changes. */
export interface NodeRun {
  readonly status: 'idle' | 'running' | 'done' | 'cached' | 'failed'
  readonly progress: Progress | null
  /** Object URL of the latest live preview; the store owns and revokes it. */
  readonly preview: string | null
  readonly output: NodeOutput | null
  readonly problems: readonly Problem[]
}

/** A problem of a job as a whole, with no node to show it on. */
export interface Refusal {
  readonly kind: string
  readonly message: string
  readonly details: string
}

export interface RunState {
  readonly connection: 'connecting' | 'open' | 'lost'
  readonly worker: WorkerStatus
  /** What the server says of its disk, as far as nobody has put it away. */
  readonly notices: readonly ServerNotice[]
  /** Jobs waiting and running, as the server counts them. */
  readonly remaining: number
  readonly queue: QueueSnapshot
  /** Finished jobs, newest first. */
  readonly history: readonly HistoryEntry[]
  /** The jobs that run now, one for each worker at most, in the order in which they began. */
  readonly jobs: readonly RunningJob[]
  readonly nodes: Readonly<Record<NodeId, NodeRun>>
  readonly refusal: Refusal | null
  /** Id of the workflow in the editor: jobs queued with it tell the nodes what they made. */
  readonly workflowId: string | null
  /** Jobs of a workflow that the editor no longer shows: they leave its nodes alone. */
  readonly detached: ReadonlySet<JobId>
}

export interface RunningJob {
  readonly id: JobId
  readonly node: NodeId | null
  /** The nodes that the job needs, once the queue has told its graph. */
  readonly needed: ReadonlySet<NodeId> | null
  readonly finished: ReadonlySet<NodeId>
  /** How much of the running node is done, 0 to 1. */
  readonly part: number
}

export const IDLE: NodeRun = {
  status: 'idle',
  progress: null,
  preview: null,
  output: null,
  problems: [],
}

export const INITIAL: RunState = {
  connection: 'connecting',
  worker: { state: 'starting', detail: '' },
  notices: [],
  remaining: 0,
  queue: { running: [], pending: [] },
  history: [],
  jobs: [],
  nodes: bare(),
  refusal: null,
  workflowId: null,
  detached: new Set(),
}

/** The pictures that a node shows. */
export function imagesOf(node: NodeRun): readonly ImageRef[] {
  return node.output?.images ?? []
}

/** The texts that a node shows, such as what it left out of a prompt; packs may send anything. */
export function textsOf(node: NodeRun): readonly string[] {
  const texts = node.output?.text
  if (typeof texts === 'string') return [texts]
  return Array.isArray(texts) ? texts.filter((text) => typeof text === 'string') : []
}

/** All problems of all nodes, in the order of the nodes' ids. */
export function problemsOf(state: RunState): readonly Problem[] {
  return Object.values(state.nodes).flatMap((node) => node.problems)
}

/** The job that the nodes show: of the shown workflow's, the one that began first. */
export function leadOf({ jobs, detached }: RunState): RunningJob | null {
  return jobs.find(({ id }) => !detached.has(id)) ?? jobs[0] ?? null
}

/** How much of a job is done, 0 to 1. */
export function progressOf({ needed, finished, node, part }: RunningJob): number {
  const total = Math.max(needed?.size ?? 0, finished.size + (node === null ? 0 : 1), 1)
  return Math.min((finished.size + part) / total, 1)
}

/** How much of the job that the nodes show is done, 0 to 1; null while nothing runs. */
export function totalProgress(state: RunState): number | null {
  const lead = leadOf(state)
  return lead === null ? null : progressOf(lead)
}
