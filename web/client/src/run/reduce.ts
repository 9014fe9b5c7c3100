/** The run state after a message: a pure function, the only place where the state changes. */

import {
  isBlocked,
  type ExecutionError,
  type NodeOutput,
  type NodeProgressState,
  type ServerMessage,
  type ServerNotice,
} from '../api/messages'
import type { HistoryEntry, JobItem, QueueSnapshot } from '../api/types'
import {
  changed,
  isOfARun,
  mapNodes,
  problemOfARun,
  runOf,
  settled,
  shownBy,
  type Nodes,
} from './nodes'
import { withFinished, withNeeded, withoutJob, withPart, withStarted } from './running'
import {
  leadOf,
  type JobId,
  type NodeId,
  type NodeRun,
  type Problem,
  type Refusal,
  type RunState,
} from './state'

type Outputs = HistoryEntry['outputs']

/** What the client itself tells the store. */
export type LocalMessage =
  | { readonly type: 'connection'; readonly state: RunState['connection'] }
  | {
      readonly type: 'preview'
      readonly jobId: JobId | null
      readonly nodeId: NodeId | null
      readonly url: string
    }
  | { readonly type: 'submitted'; readonly problems: readonly Problem[] }
  | {
      readonly type: 'refused'
      readonly refusal: Refusal
      readonly problems: readonly Problem[]
    }
  | { readonly type: 'request_failed'; readonly refusal: Refusal }
  | { readonly type: 'refusal_read' }
  | { readonly type: 'notice_read'; readonly kind: ServerNotice['kind'] }
  | { readonly type: 'queue_listed'; readonly queue: QueueSnapshot }
  | { readonly type: 'history_listed'; readonly entries: readonly HistoryEntry[] }
  | {
      readonly type: 'history_added'
      readonly entry: HistoryEntry
      /** This editor queued the job. */
      readonly own: boolean
    }
  | {
      readonly type: 'workflow_replaced'
      readonly workflowId: string | null
      /** What its nodes show, where it was opened from a finished job. */
      readonly outputs?: Outputs
    }
  | { readonly type: 'node_edited'; readonly nodeId: NodeId }

/** The server runs the outputs that are in order, and says why it leaves out the others. */
const IN_PART: Refusal = { kind: 'accepted_in_part', message: '', details: '' }

export type RunMessage = ServerMessage | LocalMessage

/** The next state; the same object if the message changes nothing. */
export function reduce(state: RunState, message: RunMessage): RunState {
  switch (message.type) {
    case 'status':
      return { ...state, remaining: message.data.status.exec_info.queue_remaining }
    case 'feature_flags':
      return state
    case 'worker':
      return { ...state, worker: message.data }
    case 'notices':
      return { ...state, notices: message.data.notices }
    case 'execution_start':
      return started(state, message.data.prompt_id)
    case 'execution_cached':
      return cached(state, message.data.prompt_id, message.data.nodes)
    case 'executing': {
      const { prompt_id, node, display_node } = message.data
      return executing(state, prompt_id, node === null ? null : (display_node ?? node))
    }
    case 'progress': {
      const { prompt_id, node, value, max } = message.data
      return followNodes(withPart(state, prompt_id, value, max), prompt_id, (nodes) =>
        changed(nodes, node, { progress: { value, max } }),
      )
    }
    case 'progress_state':
      return progressed(state, message.data.prompt_id, message.data.nodes)
    case 'executed': {
      const { prompt_id, node, display_node, output } = message.data
      return executed(state, prompt_id, display_node ?? node, output)
    }
    case 'execution_success':
      return ended(state, message.data.prompt_id, 'done')
    case 'execution_interrupted':
      return ended(state, message.data.prompt_id, 'idle')
    case 'execution_error':
      return failed(state, message.data)
    default:
      return reduceLocal(state, message)
  }
}

function reduceLocal(state: RunState, message: LocalMessage): RunState {
  switch (message.type) {
    case 'connection':
      // Whoever answers now says by itself what is not as it should be.
      return { ...state, connection: message.state, notices: [] }
    case 'notice_read':
      return { ...state, notices: state.notices.filter(({ kind }) => kind !== message.kind) }
    case 'preview':
      return previewed(state, message)
    case 'submitted':
      return {
        ...state,
        refusal: message.problems.length === 0 ? null : IN_PART,
        nodes: withProblems(state.nodes, message.problems),
      }
    case 'refused':
      return {
        ...state,
        refusal: message.refusal,
        nodes: withProblems(state.nodes, message.problems),
      }
    case 'request_failed':
      return { ...state, refusal: message.refusal }
    case 'refusal_read':
      return { ...state, refusal: null }
    case 'queue_listed':
      return queueListed(state, message.queue)
    case 'history_listed':
      return restored({ ...state, history: message.entries })
    case 'history_added':
      return historyAdded(state, message.entry, message.own)
    case 'workflow_replaced':
      return workflowReplaced(state, message.workflowId, message.outputs ?? {})
    case 'node_edited': {
      const node = state.nodes[message.nodeId]
      if (node === undefined || node.problems.length === 0) return state
      return { ...state, nodes: changed(state.nodes, message.nodeId, { problems: [] }) }
    }
  }
}

/** Change the shown nodes, unless the job belongs to a workflow that is no longer shown. */
function changeNodes(state: RunState, jobId: JobId, change: (nodes: Nodes) => Nodes): RunState {
  if (state.detached.has(jobId)) return state
  const nodes = change(state.nodes)
  return nodes === state.nodes ? state : { ...state, nodes }
}

/** The same for what only the leading job tells: jobs side by side would write over each other. */
function followNodes(state: RunState, jobId: JobId, change: (nodes: Nodes) => Nodes): RunState {
  const lead = leadOf(state)
  return lead !== null && lead.id !== jobId ? state : changeNodes(state, jobId, change)
}

function started(state: RunState, jobId: JobId): RunState {
  return followNodes(withStarted(state, jobId), jobId, (nodes) =>
    mapNodes(nodes, (node) => ({
      status: 'idle',
      progress: null,
      problems: node.problems.some(isOfARun) ? [] : node.problems,
    })),
  )
}

function cached(state: RunState, jobId: JobId, ids: readonly NodeId[]): RunState {
  return followNodes(withFinished(state, jobId, ids), jobId, (nodes) =>
    ids.reduce((all, id) => changed(all, id, { status: 'cached', progress: null }), nodes),
  )
}

function executing(state: RunState, jobId: JobId, node: NodeId | null): RunState {
  if (node === null) return ended(state, jobId, 'done')
  const before = state.jobs.find((job) => job.id === jobId)?.node ?? null
  const finished = before === null || before === node ? [] : [before]
  return followNodes(withFinished(state, jobId, finished, node), jobId, (nodes) =>
    changed(settled(nodes, 'done'), node, { status: 'running' }),
  )
}

function progressed(
  state: RunState,
  jobId: JobId,
  reported: Readonly<Record<NodeId, NodeProgressState>>,
): RunState {
  // What a node has expanded into is shown as that node, and its end is not the end of the whole.
  const entries = Object.entries(reported)
    .map(([id, node]) => [node.display_node_id ?? id, node, id] as const)
    .filter(([shown, node, id]) => shown === id || node.state === 'running')
  const finished = entries.filter(([, node]) => node.state === 'finished').map(([id]) => id)
  const running = entries.find(([, node]) => node.state === 'running')?.[1]
  const counted = withFinished(state, jobId, finished)
  const after = running ? withPart(counted, jobId, running.value, running.max) : counted
  return followNodes(after, jobId, (nodes) =>
    entries.reduce((all, [id, node]) => changed(all, id, reportedRun(runOf(all, id), node)), nodes),
  )
}

/** What a node's entry in a progress report means; a maximum of 1 means that it counts nothing. */
function reportedRun(before: NodeRun, { state, value, max }: NodeProgressState) {
  if (state === 'running') {
    return { status: 'running' as const, progress: max > 1 ? { value, max } : before.progress }
  }
  if (state === 'finished' && before.status !== 'cached') {
    return { status: 'done' as const, progress: null }
  }
  return {}
}

function executed(state: RunState, jobId: JobId, id: NodeId, output: NodeOutput | null): RunState {
  const after = withFinished(state, jobId, [id])
  const shown = changeNodes(after, jobId, (nodes) => changed(nodes, id, { output }))
  return followNodes(shown, jobId, (nodes) => {
    const status = runOf(nodes, id).status === 'cached' ? 'cached' : 'done'
    return changed(nodes, id, { status, progress: null })
  })
}

function ended(state: RunState, jobId: JobId, status: 'done' | 'idle'): RunState {
  if (!state.jobs.some((job) => job.id === jobId)) return state
  return over(
    followNodes(state, jobId, (nodes) => settled(nodes, status)),
    jobId,
  )
}

/** A job runs no more; if the nodes showed it, they show the next one that runs. */
function over(state: RunState, jobId: JobId): RunState {
  const after = withoutJob(state, jobId)
  const next = leadOf(after)
  if (next === null || leadOf(state)?.id !== jobId) return after
  return changeNodes(after, next.id, (nodes) => {
    const idle = mapNodes(nodes, () => ({ status: 'idle', progress: null, preview: null }))
    const done = [...next.finished].reduce((all, id) => changed(all, id, { status: 'done' }), idle)
    return next.node === null ? done : changed(done, next.node, { status: 'running' })
  })
}

function failed(state: RunState, error: ExecutionError): RunState {
  if (isBlocked(error)) return blocked(state, error)
  const message = error.exception_message.trim()
  const nodeId = error.node_id
  const jobId = error.prompt_id
  const after = followNodes(state, jobId, (nodes) =>
    settled(nodes, nodeId === null || nodeId === '' ? 'idle' : 'done'),
  )
  if (nodeId === null || nodeId === '') {
    const refusal = { kind: 'execution', message, details: error.exception_type }
    return over({ ...after, refusal }, jobId)
  }
  const problem = problemOfARun(nodeId, message, error.exception_type)
  return changeNodes(over(after, jobId), jobId, (nodes) =>
    changed(nodes, nodeId, { status: 'failed', progress: null, problems: [problem] }),
  )
}

/** A node is told why it was not run; its job goes on. */
function blocked(state: RunState, error: ExecutionError): RunState {
  const { node_id, prompt_id, exception_message } = error
  if (node_id === null) return state
  const problem = problemOfARun(node_id, exception_message.trim(), error.exception_type)
  return changeNodes(state, prompt_id, (nodes) =>
    changed(nodes, node_id, { status: 'failed', progress: null, problems: [problem] }),
  )
}

function previewed(
  state: RunState,
  { jobId, nodeId, url }: Extract<LocalMessage, { type: 'preview' }>,
): RunState {
  const lead = leadOf(state)
  const id = nodeId ?? lead?.node
  const job = jobId ?? lead?.id
  if (id === undefined || id === null || job === undefined) return state
  return followNodes(state, job, (nodes) => changed(nodes, id, { preview: url }))
}

function withProblems(nodes: Nodes, problems: readonly Problem[]): Nodes {
  const byNode = new Map<NodeId, readonly Problem[]>()
  for (const problem of problems) {
    const shown = shownBy(problem.nodeId)
    byNode.set(shown, [...(byNode.get(shown) ?? []), { ...problem, nodeId: shown }])
  }
  const cleared = mapNodes(nodes, (node) => {
    const status = node.status === 'failed' ? 'idle' : node.status
    return { status, problems: node.problems.length === 0 ? node.problems : [] }
  })
  return [...byNode].reduce((all, [id, found]) => changed(all, id, { problems: found }), cleared)
}

/** A job has ended. Its nodes learn what they missed if the connection was lost at the end. */
function historyAdded(state: RunState, entry: HistoryEntry, own: boolean): RunState {
  const { jobId } = entry.job
  const history = [entry, ...state.history.filter(({ job }) => job.jobId !== jobId)]
  const after = { ...state, history }
  if (!own || workflowIdOf(entry.job) !== state.workflowId) return restored(after)
  return changeNodes(after, jobId, (nodes) => withFailure(withNewOutputs(nodes, entry), entry))
}

function withNewOutputs(nodes: Nodes, { outputs }: HistoryEntry): Nodes {
  return Object.entries(outputs).reduce((all, [id, output]) => {
    const same = JSON.stringify(runOf(all, id).output) === JSON.stringify(output)
    return same ? all : changed(all, id, { output })
  }, nodes)
}

function withFailure(nodes: Nodes, { error }: HistoryEntry): Nodes {
  if (error === null || error.nodeId === '' || runOf(nodes, error.nodeId).problems.some(isOfARun)) {
    return nodes
  }
  const problem = problemOfARun(error.nodeId, error.message, '')
  return changed(nodes, error.nodeId, { status: 'failed', progress: null, problems: [problem] })
}

/** Nodes that show nothing yet show what they made when their workflow last ran. */
function restored(state: RunState): RunState {
  if (state.workflowId === null) return state
  const last = state.history.find(
    ({ job, outputs }) => workflowIdOf(job) === state.workflowId && Object.keys(outputs).length > 0,
  )
  return last === undefined ? state : { ...state, nodes: withOutputs(state.nodes, last.outputs) }
}

function withOutputs(nodes: Nodes, outputs: Outputs): Nodes {
  return Object.entries(outputs).reduce(
    (all, [id, output]) => (runOf(all, id).output ? all : changed(all, id, { output })),
    nodes,
  )
}

function workflowReplaced(state: RunState, workflowId: string | null, outputs: Outputs): RunState {
  const nodes = withOutputs({}, outputs)
  const detached = foreignJobs(state, workflowId)
  return restored({ ...state, nodes, workflowId, detached, refusal: null })
}

/** The queue decides what runs: a job that it no longer holds ended while nobody listened. */
function queueListed(state: RunState, queue: QueueSnapshot): RunState {
  const held = new Set([...queue.running, ...queue.pending].map(({ jobId }) => jobId))
  const gone = state.jobs.filter(({ id }) => !held.has(id))
  return withNeeded(gone.reduce((all, { id }) => ended(all, id, 'idle'), { ...state, queue }))
}

/** Jobs that are not of the workflow with that id. */
function foreignJobs({ queue, jobs, detached }: RunState, workflowId: string | null) {
  const items = [...queue.running, ...queue.pending]
  const own = new Set(
    items
      .filter((item) => workflowId !== null && workflowIdOf(item) === workflowId)
      .map((item) => item.jobId),
  )
  const ids = [...detached, ...items.map((item) => item.jobId), ...jobs.map(({ id }) => id)]
  return new Set(ids.filter((id) => !own.has(id)))
}

function workflowIdOf({ extra }: JobItem): string | null {
  return extra.extra_pnginfo?.workflow?.id ?? null
}
