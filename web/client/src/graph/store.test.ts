import { beforeEach, describe, expect, test, vi } from 'vitest'

import { retitled, withoutNodes } from './actions'
import {
  amend,
  edit,
  isChanged,
  markSaved,
  openWorkflow,
  redo,
  select,
  undo,
  useGraph,
} from './store'
import { nodes } from './testing'

const shown = () => useGraph.getState().workflow

describe('history', () => {
  const start = nodes('Loader', 'Sampler')

  beforeEach(() => {
    vi.useFakeTimers()
    openWorkflow(start)
  })

  test('undo brings back the very document, redo the one after', () => {
    edit((workflow) => withoutNodes(workflow, new Set(['1'])))
    const after = shown()
    undo()
    expect(shown()).toBe(start)
    redo()
    expect(shown()).toBe(after)
  })

  test('undo at the beginning and redo at the end do nothing', () => {
    undo()
    redo()
    expect(shown()).toBe(start)
  })

  test('a change after undo forgets what was undone', () => {
    edit((workflow) => retitled(workflow, '1', 'a'))
    undo()
    edit((workflow) => retitled(workflow, '1', 'b'))
    redo()
    expect(shown().nodes[0]?.title).toBe('b')
  })

  test('a change that changes nothing is no step', () => {
    edit((workflow) => workflow)
    expect(useGraph.getState().history.past).toHaveLength(0)
  })

  test('typing in one field is undone at once, after a pause in parts', () => {
    edit((workflow) => retitled(workflow, '1', 'a'), 'title 1')
    edit((workflow) => retitled(workflow, '1', 'ab'), 'title 1')
    vi.advanceTimersByTime(5000)
    edit((workflow) => retitled(workflow, '1', 'abc'), 'title 1')
    undo()
    expect(shown().nodes[0]?.title).toBe('ab')
    undo()
    expect(shown()).toBe(start)
  })

  test('typing in two fields makes two steps', () => {
    edit((workflow) => retitled(workflow, '1', 'a'), 'title 1')
    edit((workflow) => retitled(workflow, '2', 'b'), 'title 2')
    undo()
    expect(shown().nodes.map((node) => node.title)).toEqual(['a', null])
  })

  test('an amended document is no step of its own', () => {
    amend((workflow) => retitled(workflow, '1', 'seed'))
    expect(useGraph.getState().history.past).toHaveLength(0)
  })
})

describe('the store', () => {
  beforeEach(() => openWorkflow(nodes('Loader', 'Sampler')))

  test('what is removed is no longer selected', () => {
    select(['1', '2'])
    edit((workflow) => withoutNodes(workflow, new Set(['1'])))
    expect([...useGraph.getState().selected]).toEqual(['2'])
  })

  test('a document is changed from an edit until it is saved', () => {
    expect(isChanged(useGraph.getState())).toBe(false)
    edit((workflow) => retitled(workflow, '1', 'a'))
    expect(isChanged(useGraph.getState())).toBe(true)
    markSaved('mine')
    expect(isChanged(useGraph.getState())).toBe(false)
  })
})
