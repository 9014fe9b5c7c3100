import { describe, expect, test } from 'vitest'

import { reduce, type RunMessage } from './reduce'
import { INITIAL, type RunState } from './state'

const JOB = 'job'
const IMAGE = { filename: 'a.png', subfolder: '', type: 'output' } as const

const executing = (node: string | null): RunMessage => ({
  type: 'executing',
  data: { prompt_id: JOB, node },
})

function after(...messages: readonly RunMessage[]): RunState {
  const start: RunMessage = { type: 'execution_start', data: { prompt_id: JOB } }
  return [start, ...messages].reduce(reduce, INITIAL)
}

describe('a subgraph shows its inside:', () => {
  test('it runs as long as one of its nodes does, and has their progress', () => {
    const first = after(executing('7:1'))
    expect(first.nodes['7']?.status).toBe('running')
    const progress: RunMessage = {
      type: 'progress',
      data: { prompt_id: JOB, node: '7:2:5', value: 3, max: 20 },
    }
    const second = [executing('7:2:5'), progress].reduce(reduce, first)
    expect(second.nodes['7']).toMatchObject({ status: 'running', progress: { value: 3, max: 20 } })
    expect(reduce(second, executing('8')).nodes['7']).toMatchObject({
      status: 'done',
      progress: null,
    })
    expect(Object.keys(second.nodes)).toEqual(['7'])
  })

  test('the end of one of its nodes is not its own', () => {
    const output = { images: [IMAGE] }
    const executed: RunMessage = {
      type: 'executed',
      data: { prompt_id: JOB, node: '7:1', output },
    }
    expect(after(executing('7:1'), executed).nodes['7']).toMatchObject({
      status: 'running',
      output,
    })
  })

  test('its nodes count one by one', () => {
    const [job] = after(executing('7:1'), executing('7:2'), executing('8')).jobs
    expect(job?.finished).toEqual(new Set(['7:1', '7:2']))
  })

  test('what is wrong within it is shown on it, until it is edited', () => {
    const problem = { input: 'seed', kind: 'k', message: 'm', details: 'd', values: {} }
    const refused: RunMessage = {
      type: 'submitted',
      problems: [
        { ...problem, nodeId: '7:1' },
        { ...problem, nodeId: '7:2' },
      ],
    }
    const state = after(refused)
    expect(state.nodes['7']?.problems).toHaveLength(2)
    expect(state.nodes['7']?.problems.map(({ nodeId }) => nodeId)).toEqual(['7', '7'])
    expect(reduce(state, { type: 'node_edited', nodeId: '7' }).nodes['7']?.problems).toEqual([])
  })

  test('a failure within it is its failure', () => {
    const error: RunMessage = {
      type: 'execution_error',
      data: {
        prompt_id: JOB,
        node_id: '7:1',
        node_type: 'KSampler',
        exception_message: 'out of memory',
        exception_type: 'MemoryError',
        traceback: [],
      },
    }
    expect(after(executing('7:1'), error).nodes['7']).toMatchObject({
      status: 'failed',
      problems: [{ nodeId: '7', message: 'out of memory' }],
    })
  })
})
