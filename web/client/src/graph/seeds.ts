/** What becomes of seeds after a workflow has been queued. */

import { specFor } from '../catalog/primitive'
import type { Control, GraphNode, NodeSpec, Specs, Value, WidgetSpec, Workflow } from '../types'
import { isControlled, readControl, readValue, withValue } from './slots'

/** Random seeds stay below this, as ComfyUI's do; every program reads such an integer exactly. */
const RANDOM_LIMIT = 2 ** 50

/** The document after queueing: seeds are fixed, stepped or drawn anew as their controls say. */
export function afterQueueing(workflow: Workflow, specs: Specs, random: () => number): Workflow {
  const nodes = workflow.nodes.map((node) => {
    const spec = specFor(node, workflow, specs)
    return spec ? nextNode(node, spec, random) : node
  })
  const same = nodes.every((node, index) => node === workflow.nodes[index])
  return same ? workflow : { ...workflow, nodes }
}

function nextNode(node: GraphNode, spec: NodeSpec, random: () => number): GraphNode {
  return spec.inputs.reduce((changed, input) => {
    const { widget } = input
    if (!widget || !isControlled(widget)) return changed
    const control = readControl(node, spec, input)
    const value = nextValue(widget, readValue(node, spec, input), control, random)
    return withValue(changed, spec, input, value)
  }, node)
}

/** The value after queueing once. */
export function nextValue(
  widget: WidgetSpec,
  value: Value,
  control: Control,
  random: () => number,
): Value {
  if (control === 'fixed') return value
  if (widget.kind === 'seed') return nextSeed(widget.min, widget.max, value, control, random)
  if (widget.kind === 'choice') return nextChoice(widget.options, value, control, random)
  return value
}

function nextSeed(
  min: number,
  max: number,
  value: Value,
  control: Exclude<Control, 'fixed'>,
  random: () => number,
): Value {
  if (control === 'randomize') {
    const low = Math.max(min, -RANDOM_LIMIT)
    const high = Math.min(max, RANDOM_LIMIT)
    return low + Math.floor(random() * (high - low))
  }
  const step = control === 'increment' ? 1n : -1n
  const next = BigInt(typeof value === 'number' ? Math.trunc(value) : integerOf(value)) + step
  return narrowed(clamped(next, min, max))
}

function integerOf(value: Value): bigint {
  return typeof value === 'bigint' ? value : 0n
}

function nextChoice(
  options: readonly Value[],
  value: Value,
  control: Exclude<Control, 'fixed'>,
  random: () => number,
): Value {
  const index = options.indexOf(value)
  const next =
    control === 'randomize'
      ? Math.floor(random() * options.length)
      : index + (control === 'increment' ? 1 : -1)
  return options[Math.min(Math.max(next, 0), options.length - 1)] ?? value
}

/** The largest integer that a 64-bit seed can be. */
const UINT64_MAX = 2n ** 64n - 1n

/** An integer within bounds that were read as doubles. */
export function clamped(value: bigint, min: number, max: number): bigint {
  const low = BigInt(Math.ceil(min))
  const high = max >= 2 ** 64 ? UINT64_MAX : BigInt(Math.floor(max))
  return value < low ? low : value > high ? high : value
}

/** A number where a double holds the integer exactly, else the bigint itself. */
export function narrowed(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
