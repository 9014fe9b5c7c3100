/** A job in a few words. */

import type { HistoryEntry, JobItem } from '../api/types'
import type { ViewedPicture } from './store'

/** The longest text that the job's graph holds: most often what it is to draw. */
export function summaryOf({ graph }: JobItem): string {
  const texts = Object.values(graph)
    .map(({ inputs }) => inputs.text)
    .filter((text) => typeof text === 'string')
    .map((text) => text.trim().replace(/\s+/g, ' '))
  return texts.reduce((longest, text) => (text.length > longest.length ? text : longest), '')
}

/** The pictures that a job made: those it kept, or else those it only showed. */
export function picturesOf({ job, outputs }: HistoryEntry): ViewedPicture[] {
  const images = Object.values(outputs).flatMap((output) => output.images ?? [])
  const kept = images.filter((image) => image.type === 'output')
  return (kept.length > 0 ? kept : images).map((image) => ({ image, jobId: job.jobId }))
}

const STEPS = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', Infinity],
] as const

/** How long ago a moment was, e.g. `5 min. ago`; both in milliseconds since 1970. */
export function ago(moment: number, now: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  let amount = Math.max(0, (now - moment) / 1000)
  for (const [unit, next] of STEPS) {
    if (amount < next) return format.format(-Math.floor(amount), unit)
    amount /= next
  }
  return ''
}
