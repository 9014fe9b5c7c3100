import { describe, expect, test } from 'vitest'

import type { HistoryEntry, JobItem } from '../api/types'
import { reduce, type RunMessage } from './reduce'
import { INITIAL, leadOf, totalProgress, type Problem, type RunState } from './state'
import { droppedPreviews } from './store'

const JOB = 'job'
const IMAGE = { filename: 'a.png', subfolder: '', type: 'output' } as const

const start: RunMessage = { type: 'execution_start', data: { prompt_id: JOB } }
const executing = (node: string | null): RunMessage => ({
  type: 'executing',
  data: { prompt_id: JOB, node },
})
const progress = (node: string, value: number, max: number): RunMessage => ({
  type: 'progress',
  data: { prompt_id: JOB, node, value, max },
})
const preview = (nodeId: string | null, url: string): RunMessage => ({
  type: 'preview',
  jobId: nodeId === null ? null : JOB,
  nodeId,
  url,
})
const executed = (node: string): RunMessage => ({
  type: 'executed',
  data: { prompt_id: JOB, node, output: { images: [IMAGE] } },
})
const success: RunMessage = { type: 'execution_success', data: { prompt_id: JOB } }
const failure = (node_id: string | null): RunMessage => ({
  type: 'execution_error',
  data: {
    prompt_id: JOB,
    node_id,
    node_type: '',
    exception_message: 'out of memory\n',
    exception_type: 'MemoryError',
    traceback: [],
  },
})

function after(messages: readonly RunMessage[], state: RunState = INITIAL): RunState {
  return messages.reduce(reduce, state)
}

function problem(nodeId: string, kind = 'value_not_in_list'): Problem {
  return { nodeId, input: 'seed', kind, message: 'm', details: 'd', values: {} }
}

function item(jobId: string, workflowId = 'w'): JobItem {
  return {
    jobId,
    number: 1,
    graph: {
      '1': { class_type: 'Load', inputs: {} },
      '2': { class_type: 'Sample', inputs: { model: ['1', 0] } },
      '3': { class_type: 'Save', inputs: { images: ['2', 0] } },
      '4': { class_type: 'Unused', inputs: {} },
    },
    extra: { extra_pnginfo: { workflow: { id: workflowId } } },
    targets: ['3'],
  }
}

function entry(jobId: string, workflowId = 'w'): HistoryEntry {
  return {
    job: item(jobId, workflowId),
    outputs: { '3': { images: [{ ...IMAGE, filename: `${jobId}.png` }] } },
    succeeded: true,
    interrupted: false,
    finishedAt: null,
    error: null,
  }
}

test('what the server says of its disk is told until it is read, or the server is another', () => {
  const damaged = { kind: 'queue_damaged', message: 'kept as weft.db.damaged' } as const
  const full = { kind: 'disk_refuses', message: 'full' } as const
  const told = reduce(INITIAL, { type: 'notices', data: { notices: [damaged, full] } })
  expect(told.notices).toEqual([damaged, full])
  expect(reduce(told, { type: 'notice_read', kind: 'queue_damaged' }).notices).toEqual([full])
  expect(reduce(told, { type: 'notices', data: { notices: [] } }).notices).toEqual([])
  expect(reduce(told, { type: 'connection', state: 'open' }).notices).toEqual([])
})

describe('a run', () => {
  test('goes from node to node and leaves every node done', () => {
    const running = after([start, executing('1'), executing('2')])
    expect(running.nodes['1']?.status).toBe('done')
    expect(running.nodes['2']?.status).toBe('running')
    const over = after([executed('3'), success, executing(null)], running)
    expect(over.nodes['2']?.status).toBe('done')
    expect(over.nodes['3']?.output?.images).toEqual([IMAGE])
    expect(leadOf(over)).toBeNull()
  })

  test('marks cached nodes, also when they show something', () => {
    const cached: RunMessage = {
      type: 'execution_cached',
      data: { prompt_id: JOB, nodes: ['1', '3'] },
    }
    const state = after([start, cached, executed('3')])
    expect(state.nodes['1']?.status).toBe('cached')
    expect(state.nodes['3']).toMatchObject({ status: 'cached', output: { images: [IMAGE] } })
  })

  test('clears what the run before said about progress and failure, but keeps pictures', () => {
    const before = after([start, executing('1'), executed('3'), executing('2'), failure('2')])
    const again = after([start], before)
    expect(again.nodes['2']).toMatchObject({ status: 'idle', problems: [] })
    expect(again.nodes['3']?.output).toEqual({ images: [IMAGE] })
  })

  test('keeps the problems of a job that was accepted in part', () => {
    const state = after([{ type: 'submitted', problems: [problem('7')] }, start])
    expect(state.nodes['7']?.problems).toHaveLength(1)
    expect(state.refusal?.kind).toBe('accepted_in_part')
  })

  test('an interruption leaves the node neither running nor done', () => {
    const state = after([
      start,
      executing('2'),
      progress('2', 3, 9),
      { type: 'execution_interrupted', data: { prompt_id: JOB, node_id: '2' } },
    ])
    expect(state.nodes['2']).toMatchObject({ status: 'idle', progress: null })
    expect(leadOf(state)).toBeNull()
  })

  test('an error is a problem of its node', () => {
    const state = after([start, executing('2'), failure('2')])
    expect(state.nodes['2']).toMatchObject({
      status: 'failed',
      problems: [{ nodeId: '2', input: null, kind: 'execution', message: 'out of memory' }],
    })
    expect(leadOf(state)).toBeNull()
  })

  test('a blocked node is told why, and its job goes on', () => {
    const blocked = failure('3')
    if (blocked.type !== 'execution_error') throw new Error('not an error')
    const data = { ...blocked.data, exception_type: 'ExecutionBlocked' }
    const state = after([start, executing('2'), { type: 'execution_error', data }])
    expect(leadOf(state)?.id).toBe(JOB)
    expect(state.nodes['2']?.status).toBe('running')
    expect(state.nodes['3']).toMatchObject({ status: 'failed', problems: [{ nodeId: '3' }] })
  })

  test('what a node has expanded into is shown as that node', () => {
    const part = { prompt_id: JOB, node: '2.0.0.a', display_node: '2' }
    const states = {
      '2.0.0.a': { value: 3, max: 9, state: 'running', display_node_id: '2' },
      '2.0.0.b': { value: 1, max: 1, state: 'finished', display_node_id: '2' },
    } as const
    const running = after([
      start,
      { type: 'executing', data: part },
      { type: 'progress_state', data: { prompt_id: JOB, nodes: states } },
    ])
    expect(Object.keys(running.nodes)).toEqual(['2'])
    expect(running.nodes['2']).toMatchObject({
      status: 'running',
      progress: { value: 3, max: 9 },
    })
    const shown: RunMessage = {
      type: 'executed',
      data: { ...part, output: { images: [IMAGE] } },
    }
    expect(after([shown], running).nodes['2']?.output).toEqual({ images: [IMAGE] })
  })

  test('an error of no node is told as a whole', () => {
    const state = after([start, executing('2'), failure(null)])
    expect(state.refusal).toMatchObject({ kind: 'execution', message: 'out of memory' })
    expect(state.nodes['2']?.status).toBe('idle')
  })
})

describe('a tick', () => {
  const running = after([start, executing('1'), executing('2'), progress('2', 1, 9)])

  test('changes one node and leaves the objects of all others alone', () => {
    const next = reduce(running, progress('2', 2, 9))
    expect(next.nodes['2']?.progress).toEqual({ value: 2, max: 9 })
    expect(next.nodes['1']).toBe(running.nodes['1'])
  })

  test('that says nothing new changes nothing', () => {
    expect(reduce(running, progress('2', 1, 9))).toBe(running)
    const report: RunMessage = {
      type: 'progress_state',
      data: { prompt_id: JOB, nodes: { '2': { value: 1, max: 9, state: 'running' } } },
    }
    expect(reduce(running, report)).toBe(running)
  })
})

describe('a preview', () => {
  test('replaces the one before, which is then to be revoked', () => {
    const first = after([start, executing('2'), preview('2', 'blob:1')])
    const second = reduce(first, preview(null, 'blob:2'))
    expect(second.nodes['2']?.preview).toBe('blob:2')
    expect(droppedPreviews(first, second)).toEqual(['blob:1'])
    expect(droppedPreviews(second, reduce(second, progress('2', 1, 2)))).toEqual([])
  })

  test('is dropped with the workflow', () => {
    const state = after([start, executing('2'), preview('2', 'blob:1')])
    const next = reduce(state, { type: 'workflow_replaced', workflowId: 'other' })
    expect(next.nodes).toEqual({})
    expect(droppedPreviews(state, next)).toEqual(['blob:1'])
  })
})

describe('total progress', () => {
  const listed: RunMessage = {
    type: 'queue_listed',
    queue: { running: [item(JOB)], pending: [] },
  }

  test('counts the nodes that the job needs, and the part of the one that runs', () => {
    const state = after([start, listed, executing('1'), executing('2'), progress('2', 1, 2)])
    expect(totalProgress(state)).toBeCloseTo(1.5 / 3)
  })

  test('is the same whether the queue was listed before or after the start', () => {
    const messages = [executing('1'), executing('2')]
    const before = after([listed, start, ...messages])
    const later = after([start, ...messages, listed])
    expect(totalProgress(before)).toBe(totalProgress(later))
  })

  test('is null while nothing runs', () => {
    expect(totalProgress(INITIAL)).toBeNull()
    expect(totalProgress(after([start, executing('1'), success]))).toBeNull()
  })
})

describe('problems', () => {
  test('of a refused workflow replace those before', () => {
    const refusal = { kind: 'x', message: '', details: '' }
    const first = after([
      { type: 'refused', refusal, problems: [problem('1'), problem('1'), problem('2')] },
    ])
    expect(first.nodes['1']?.problems).toHaveLength(2)
    const second = reduce(first, { type: 'refused', refusal, problems: [problem('2')] })
    expect(second.nodes['1']?.problems).toEqual([])
    expect(second.nodes['2']?.problems).toHaveLength(1)
    expect(reduce(second, { type: 'submitted', problems: [] })).toMatchObject({ refusal: null })
  })

  test('of a node go when it is edited', () => {
    const state = after([{ type: 'submitted', problems: [problem('1'), problem('2')] }])
    const edited = reduce(state, { type: 'node_edited', nodeId: '1' })
    expect(edited.nodes['1']?.problems).toEqual([])
    expect(edited.nodes['2']).toBe(state.nodes['2'])
    expect(reduce(edited, { type: 'node_edited', nodeId: '1' })).toBe(edited)
  })
})

describe('another workflow in the editor', () => {
  const open = (workflowId: string | null): RunMessage => ({
    type: 'workflow_replaced',
    workflowId,
  })

  test('is left alone by the jobs of the one before', () => {
    const state = after([
      start,
      { type: 'queue_listed', queue: { running: [item(JOB)], pending: [] } },
      open('other'),
      executing('2'),
      executed('3'),
    ])
    expect(state.nodes).toEqual({})
    expect(leadOf(state)?.node).toBe('2')
  })

  test('hears of its own job that is already running', () => {
    const queue = { running: [item(JOB, 'w')], pending: [] }
    const state = after([start, { type: 'queue_listed', queue }, open('w'), executing('2')])
    expect(state.nodes['2']?.status).toBe('running')
  })

  test('shows what it made last, whichever is known first', () => {
    const listed: RunMessage = {
      type: 'history_listed',
      entries: [entry('new', 'v'), entry('mid'), entry('old')],
    }
    for (const state of [after([listed, open('w')]), after([open('w'), listed])]) {
      expect(state.nodes['3']?.output?.images?.[0]?.filename).toBe('mid.png')
    }
  })

  test('shows what the job made that it was opened from', () => {
    const { outputs } = entry('old')
    const state = after([
      { type: 'history_listed', entries: [entry('new'), entry('old')] },
      { type: 'workflow_replaced', workflowId: 'w', outputs },
    ])
    expect(state.nodes['3']?.output?.images?.[0]?.filename).toBe('old.png')
  })
})

describe('a job that ended while the connection was lost', () => {
  const nothing: RunMessage = { type: 'queue_listed', queue: { running: [], pending: [] } }
  const open: RunMessage = { type: 'workflow_replaced', workflowId: 'w' }
  const missed = after([open, start, executing('2'), executed('3'), nothing])

  test('runs no longer as soon as the queue is listed', () => {
    expect(leadOf(missed)).toBeNull()
    expect(missed.nodes['2']?.status).toBe('idle')
  })

  test('shows what it made once the history tells it', () => {
    const state = reduce(missed, { type: 'history_added', entry: entry(JOB), own: true })
    expect(state.nodes['3']?.output?.images?.[0]?.filename).toBe(`${JOB}.png`)
  })

  test('shows its failure on the node', () => {
    const failed = { ...entry(JOB), error: { nodeId: '2', message: 'out of memory' } }
    const state = reduce(missed, { type: 'history_added', entry: failed, own: true })
    expect(state.nodes['2']).toMatchObject({ status: 'failed', problems: [{ kind: 'execution' }] })
  })

  test('of another window leaves the pictures alone', () => {
    const state = reduce(missed, { type: 'history_added', entry: entry(JOB), own: false })
    expect(state.nodes['3']?.output?.images).toEqual([IMAGE])
  })
})

test('an entry of the history is added in front, once', () => {
  const state = after([
    { type: 'history_listed', entries: [entry('a'), entry('b')] },
    { type: 'history_added', entry: entry('c'), own: true },
    { type: 'history_added', entry: entry('a'), own: true },
  ])
  expect(state.history.map(({ job }) => job.jobId)).toEqual(['a', 'c', 'b'])
})
