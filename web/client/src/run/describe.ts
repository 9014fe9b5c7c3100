/** Problems and refusals in plain words, in the language of the editor. */

import type { TFunction } from 'i18next'

import type { Problem, Refusal } from './state'

/** Kinds that have words of their own, with the values that those words need. */
const NEEDED_VALUES = {
  required_input_missing: [],
  value_smaller_than_min: ['value', 'min'],
  value_bigger_than_max: ['value', 'max'],
  value_not_in_list: ['value'],
  invalid_input_type: ['value', 'expected'],
  return_type_mismatch: ['received', 'expected'],
  bad_linked_input: [],
} as const

type KnownKind = keyof typeof NEEDED_VALUES

/** One sentence that says what is wrong and what would mend it. */
export function describeProblem(t: TFunction, problem: Problem): string {
  const { kind, input, values, message, details } = problem
  if (kind === 'execution') return message === '' ? details : message
  if (kind === 'dependency_cycle' || kind === 'missing_node_type') return t(`problem.node.${kind}`)
  if (input !== null && hasWords(kind) && NEEDED_VALUES[kind].every((name) => name in values)) {
    return t(`problem.node.${kind}`, { ...values, input })
  }
  return details === '' ? message : `${message}: ${details}`
}

function hasWords(kind: string): kind is KnownKind {
  return kind in NEEDED_VALUES
}

const REFUSALS = [
  'unreachable',
  'no_prompt',
  'prompt_no_outputs',
  'prompt_outputs_failed_validation',
  'missing_node_type',
  'accepted_in_part',
] as const

/** Why the workflow as a whole was not queued, or why a job ended. */
export function describeRefusal(t: TFunction, { kind, message, details }: Refusal): string {
  const known = REFUSALS.find((name) => name === kind)
  if (known !== undefined) return t(`problem.refusal.${known}`)
  return details === '' ? message : `${message}: ${details}`
}
