/** Where a node keeps the values of its widgets: `widgets_values` is a list by position. */

import type { Control, GraphNode, InputSpec, NodeSpec, Value, WidgetSpec } from '../types'
import { CONTROLS } from '../types'
import { own } from './names'
import { isList } from './reading'

/** One element of `widgets_values`: a value, a seed's control, or an upload button's name. */
export interface Slot {
  readonly input: InputSpec
  readonly role: 'value' | 'control' | 'button'
}

const slotsBySpec = new WeakMap<NodeSpec, readonly Slot[]>()

/** The elements of `widgets_values` of a node in their order; choices decide which there are. */
export function slotsOf(spec: NodeSpec, values: readonly Value[] = []): readonly Slot[] {
  if (spec.inputs.some(({ when }) => when)) return slotsWith(spec, (_, index) => values[index])
  const known = slotsBySpec.get(spec)
  if (known) return known
  const slots = slotsWith(spec, () => undefined)
  slotsBySpec.set(spec, slots)
  return slots
}

function slotsWith(
  spec: NodeSpec,
  valueAt: (input: InputSpec, index: number) => Value | undefined,
): readonly Slot[] {
  const slots: Slot[] = []
  const chosen = new Map<string, Value>()
  for (const input of spec.inputs) {
    const { widget, when } = input
    const isLeftOut = when?.some((one) => one.kind === 'chosen' && chosen.get(one.by) !== one.value)
    if (!widget || isLeftOut) continue
    chosen.set(input.name, valueAt(input, slots.length) ?? defaultValue(widget))
    slots.push({ input, role: 'value' })
    if (isControlled(widget)) slots.push({ input, role: 'control' })
    if (widget.kind === 'image') slots.push({ input, role: 'button' })
  }
  return slots
}

/** True for values that may change by themselves after queueing. */
export function isControlled(widget: WidgetSpec): boolean {
  return widget.kind === 'seed' || (widget.kind === 'choice' && widget.controlled)
}

export function defaultValue(widget: WidgetSpec): Value {
  return widget.default
}

function defaultOf({ input, role }: Slot): Value {
  if (!input.widget) return null
  if (role === 'button') return 'image'
  if (role === 'control') return defaultControl(input.widget)
  return defaultValue(input.widget)
}

function defaultControl(widget: WidgetSpec): Control {
  return widget.kind === 'seed' ? widget.control : 'fixed'
}

/** The values of a node fresh from the palette. */
export function defaultValues(spec: NodeSpec): readonly Value[] {
  return slotsOf(spec).map(defaultOf)
}

/** The value of an input's widget; its default where the node has none. */
export function readValue(node: GraphNode, spec: NodeSpec, input: InputSpec): Value {
  const value = read(node, spec, input, 'value')
  return value ?? (input.widget ? defaultValue(input.widget) : null)
}

/** What happens to the value after queueing; old files say true for randomize, false for fixed. */
export function readControl(node: GraphNode, spec: NodeSpec, input: InputSpec): Control {
  const value = read(node, spec, input, 'control')
  if (value === true) return 'randomize'
  if (value === false) return 'fixed'
  const known = CONTROLS.find((control) => control === value)
  return known ?? (input.widget ? defaultControl(input.widget) : 'fixed')
}

function read(
  node: GraphNode,
  spec: NodeSpec,
  input: InputSpec,
  role: Slot['role'],
): Value | undefined {
  if (node.values === null) return undefined
  if (isList(node.values)) return node.values[position(slotsOf(spec, node.values), input, role)]
  return own(node.values, keyOf(input, role))
}

/** The node with another value in the widget of an input. */
export function withValue(
  node: GraphNode,
  spec: NodeSpec,
  input: InputSpec,
  value: Value,
  role: Slot['role'] = 'value',
): GraphNode {
  if (read(node, spec, input, role) === value) return node
  if (node.values !== null && !isList(node.values)) {
    return { ...node, values: { ...node.values, [keyOf(input, role)]: value } }
  }
  const old = node.values ?? []
  const before = slotsOf(spec, old)
  const held = new Map(before.map((slot, index) => [idOf(slot), old[index] ?? null]))
  held.set(idOf({ input, role }), value)
  const after = slotsWith(spec, (input) => held.get(idOf({ input, role: 'value' })) ?? undefined)
  const values = after.map((slot) => held.get(idOf(slot)) ?? defaultOf(slot))
  return { ...node, values: [...values, ...old.slice(before.length)] }
}

function idOf({ input, role }: Slot): string {
  return `${role} ${input.name}`
}

function position(slots: readonly Slot[], input: InputSpec, role: Slot['role']): number {
  return slots.findIndex((slot) => slot.input.name === input.name && slot.role === role)
}

function keyOf(input: InputSpec, role: Slot['role']): string {
  return role === 'control' ? 'control_after_generate' : input.name
}

/** The place of an input among the node's slots; -1 where it has none. */
export function inputIndex(node: GraphNode, input: string): number {
  return node.inputs.findIndex((slot) => slot.name === input)
}
