import { expect, test } from 'vitest'

import { historyEntries, queueSnapshot } from './jobs'

const item = (number: number, jobId: string) => [number, jobId, {}, {}, []] as const

test('waiting jobs are listed in the order in which they will run', () => {
  const queue = queueSnapshot({
    queue_running: [item(1, 'a')],
    queue_pending: [item(4, 'd'), item(-2, 'b'), item(3, 'c')],
  })
  expect(queue.running.map((job) => job.jobId)).toEqual(['a'])
  expect(queue.pending.map((job) => job.jobId)).toEqual(['b', 'c', 'd'])
})

test('history is newest first and tells how each job ended', () => {
  const failure = { node_id: '5', exception_message: 'out of memory', timestamp: 20 }
  const entries = historyEntries({
    a: {
      prompt: item(1, 'a'),
      outputs: { '9': { images: [] } },
      status: {
        status_str: 'success',
        messages: [
          ['execution_start', { timestamp: 5 }],
          ['execution_success', { timestamp: 10 }],
        ],
      },
    },
    b: {
      prompt: item(2, 'b'),
      outputs: {},
      status: { status_str: 'error', messages: [['execution_error', failure]] },
    },
    c: {
      prompt: item(3, 'c'),
      outputs: {},
      status: { status_str: 'error', messages: [['execution_interrupted', {}]] },
    },
  })
  expect(entries.map((entry) => entry.job.jobId)).toEqual(['c', 'b', 'a'])
  expect(entries[0]).toMatchObject({ succeeded: false, interrupted: true, finishedAt: null })
  expect(entries[1]?.error).toEqual({ nodeId: '5', message: 'out of memory' })
  expect(entries[2]).toMatchObject({ succeeded: true, interrupted: false, finishedAt: 10 })
})

test('what an expanded node has made belongs to the node that it is shown as', () => {
  const [entry] = historyEntries({
    a: {
      prompt: item(1, 'a'),
      outputs: { '5.0.0.save': { images: [] } },
      meta: { '5.0.0.save': { display_node: '5' } },
    },
  })
  expect(Object.keys(entry?.outputs ?? {})).toEqual(['5'])
})
