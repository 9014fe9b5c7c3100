import { expect, test } from 'vitest'

import type { HistoryEntry, JobItem } from '../api/types'
import { ago, picturesOf, summaryOf } from './summary'

function job(graph: JobItem['graph']): JobItem {
  return { jobId: 'j', number: 1, graph, extra: {}, targets: [] }
}

const text = (text: unknown) => ({ class_type: 'CLIPTextEncode', inputs: { text } })

test('a job is known by the longest of its texts', () => {
  const item = job({ '1': text('blurry'), '2': text('a red\n circle '), '3': text(['4', 0]) })
  expect(summaryOf(item)).toBe('a red circle')
  expect(summaryOf(job({}))).toBe('')
})

test('pictures that were kept are shown before those that were only previewed', () => {
  const kept = { filename: 'a.png', subfolder: '', type: 'output' } as const
  const shown = { filename: 'b.png', subfolder: '', type: 'temp' } as const
  const entry = (outputs: HistoryEntry['outputs']): HistoryEntry => ({
    job: job({}),
    outputs,
    succeeded: true,
    interrupted: false,
    finishedAt: null,
    error: null,
  })
  expect(picturesOf(entry({ '1': { images: [shown] }, '2': { images: [kept] } }))).toEqual([
    { image: kept, jobId: 'j' },
  ])
  expect(picturesOf(entry({ '1': { images: [shown] }, '2': { text: ['x'] } }))).toHaveLength(1)
})

test('times are told in the largest unit that has passed', () => {
  const minute = 60_000
  expect(ago(0, 5 * minute, 'en')).toBe('5 min. ago')
  expect(ago(0, 26 * 60 * minute, 'en')).toBe('yesterday')
  expect(ago(0, 3 * 60 * minute, 'ko')).toBe('3시간 전')
  expect(ago(5000, 0, 'en')).toBe('now')
})
