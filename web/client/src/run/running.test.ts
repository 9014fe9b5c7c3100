import { describe, expect, test } from 'vitest'

import { reduce, type RunMessage } from './reduce'
import { INITIAL, leadOf, progressOf, type RunState } from './state'

const start = (prompt_id: string): RunMessage => ({
  type: 'execution_start',
  data: { prompt_id },
})
const executing = (prompt_id: string, node: string): RunMessage => ({
  type: 'executing',
  data: { prompt_id, node },
})
const progress = (prompt_id: string, node: string, value: number): RunMessage => ({
  type: 'progress',
  data: { prompt_id, node, value, max: 10 },
})
const success = (prompt_id: string): RunMessage => ({
  type: 'execution_success',
  data: { prompt_id },
})
const interrupted = (prompt_id: string): RunMessage => ({
  type: 'execution_interrupted',
  data: { prompt_id, node_id: null },
})

function after(messages: readonly RunMessage[], state: RunState = INITIAL): RunState {
  return messages.reduce(reduce, state)
}

const BOTH = [
  start('a'),
  executing('a', '1'),
  start('b'),
  executing('b', '1'),
  executing('b', '2'),
  progress('a', '1', 3),
  progress('b', '2', 8),
]

describe('jobs side by side', () => {
  test('each count their own progress, whatever the others tell', () => {
    const parts = after(BOTH).jobs.map((job) => [job.id, progressOf(job)])
    expect(parts).toEqual([
      ['a', 0.3],
      ['b', 0.9],
    ])
  })

  test('show the nodes of the one that began first', () => {
    const { nodes } = after(BOTH)
    expect(nodes['1']).toMatchObject({ status: 'running', progress: { value: 3, max: 10 } })
    expect(nodes['2']).toBeUndefined()
  })

  test.each([
    ['ends', success],
    ['is interrupted', interrupted],
  ])('show the nodes of the next when the first %s', (_how, end) => {
    const state = after([end('a')], after(BOTH))
    expect(leadOf(state)?.id).toBe('b')
    expect(state.nodes['1']?.status).toBe('done')
    expect(state.nodes['2']?.status).toBe('running')
  })

  test('leave the first alone when another ends', () => {
    const state = after([success('b')], after(BOTH))
    expect(state.jobs.map(({ id }) => id)).toEqual(['a'])
    expect(state.nodes['1']?.status).toBe('running')
  })

  test('show what each of them makes', () => {
    const output = { images: [{ filename: 'b.png', subfolder: '', type: 'output' as const }] }
    const made: RunMessage = {
      type: 'executed',
      data: { prompt_id: 'b', node: '2', output },
    }
    expect(after([made], after(BOTH)).nodes['2']?.output).toEqual(output)
  })

  test('of another workflow do not lead where one of the shown workflow runs', () => {
    const foreign = after([{ type: 'workflow_replaced', workflowId: 'new' }], after([start('a')]))
    const state = after([start('b'), executing('b', '1')], foreign)
    expect(leadOf(state)?.id).toBe('b')
    expect(state.nodes['1']?.status).toBe('running')
  })
})
