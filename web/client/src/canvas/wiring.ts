/** Drawing wires: what xyflow reports, checked and brought into the document. */

import type { Connection, Edge, FinalConnectionState } from '@xyflow/react'

import { inputSpecs, outputSpecs } from '../catalog/sockets'
import { useCatalog } from '../catalog/store'
import { withLink, withoutLinks } from '../graph/actions'
import { linkInto, nodeOf } from '../graph/document'
import { inputType, outputType, refusal, type Refusal, type Wish } from '../graph/fitting'
import { edit, useGraph } from '../graph/store'
import type { NodeId, Point, Specs, Workflow } from '../types'
import { handleInput, handleOutput, type WireFlow } from './flow'
import { useView, type WireEnd } from './view'

type Drawn = Pick<Connection, 'source' | 'target'> & {
  readonly sourceHandle?: string | null
  readonly targetHandle?: string | null
}

/** The wire that a connection of xyflow's stands for. */
export function wishOf(connection: Drawn): Wish | null {
  const output = handleOutput(connection.sourceHandle)
  const input = handleInput(connection.targetHandle)
  if (output === null || input === null) return null
  return { source: connection.source, output, target: connection.target, input }
}

export function refusalOf(connection: Drawn): Refusal | null {
  const wish = wishOf(connection)
  const { workflow } = useGraph.getState()
  return wish ? refusal(wish, workflow, useCatalog.getState().specs) : { reason: 'gone' }
}

export function isAllowed(connection: Connection | Edge): boolean {
  return refusalOf(connection) === null
}

export function onConnect(connection: Connection): void {
  const wish = wishOf(connection)
  const { specs } = useCatalog.getState()
  if (wish) edit((workflow) => withLink(workflow, specs, wish))
}

/** The end of a wire at a handle, with the type that it gives or wants. */
export function wireEnd(node: NodeId | null, handle: string | null | undefined): WireEnd | null {
  const { workflow } = useGraph.getState()
  const { specs } = useCatalog.getState()
  const found = node === null ? undefined : nodeOf(workflow, node)
  if (!found) return null
  const output = handleOutput(handle)
  if (output !== null) {
    const type = outputType(workflow, specs, found, output) ?? '*'
    return { node: found.id, socket: { output }, type }
  }
  const input = handleInput(handle)
  if (input === null) return null
  return {
    node: found.id,
    socket: { input },
    type: inputType(workflow, specs, found, input) ?? '*',
  }
}

interface Start {
  readonly nodeId: NodeId | null
  readonly handleId: string | null
}

export function onConnectStart(_event: unknown, { nodeId, handleId }: Start): void {
  const end = wireEnd(nodeId, handleId)
  useView.setState({ wiring: end?.type ?? '*', refused: null })
}

/** The wire was let go: on a socket that took it, on one that does not, on a node, or nowhere. */
export function onConnectEnd(event: MouseEvent | TouchEvent, state: FinalConnectionState): void {
  const { reconnecting } = useView.getState()
  useView.setState({ wiring: null, reconnecting: false })
  if (state.isValid || reconnecting || !state.fromHandle) return
  const at = pointOf(event)
  const end = wireEnd(state.fromHandle.nodeId, state.fromHandle.id)
  if (!end) return
  if (state.toHandle) showRefusal(at, refusalBetween(end, wireEndOf(state.toHandle)))
  else dropAt(at, end)
}

function wireEndOf({ nodeId, id }: { nodeId: string; id?: string | null }): WireEnd | null {
  return wireEnd(nodeId, id)
}

function dropAt(at: Point, end: WireEnd): void {
  const node = nodeAt(at)
  if (node === null) useView.setState({ palette: { at, wire: end } })
  else if (node !== end.node) dropOnNode(at, node, end)
}

/** A wire that is dropped on a node goes to the first socket that takes it. */
function dropOnNode(at: Point, node: NodeId, end: WireEnd): void {
  const { workflow } = useGraph.getState()
  const { specs } = useCatalog.getState()
  const wish = firstFit(workflow, specs, node, end)
  if (wish) edit((before) => withLink(before, specs, wish))
  else showRefusal(at, { reason: 'nothingFits', type: end.type })
}

/** The first wire between a node and the end of another that is not refused, free inputs first. */
export function firstFit(workflow: Workflow, specs: Specs, id: NodeId, end: WireEnd): Wish | null {
  const node = nodeOf(workflow, id)
  if (!node) return null
  const inputs = inputSpecs(node, specs[node.type]).map((input) => input.name)
  const outputs = outputSpecs(node, specs[node.type]).map((_, output) => output)
  const isFree = (input: string) => linkInto(workflow, id, input) === undefined
  const ordered = [...inputs.filter(isFree), ...inputs.filter((input) => !isFree(input))]
  const wishes =
    'output' in end.socket
      ? ordered.map((input) => wishBetween(end, { node: id, socket: { input }, type: '' }))
      : outputs.map((output) => wishBetween(end, { node: id, socket: { output }, type: '' }))
  const fitting = wishes.filter((wish) => wish && refusal(wish, workflow, specs) === null)
  return fitting.find((wish) => wish && isTyped(workflow, specs, wish)) ?? fitting[0] ?? null
}

/** True where the types are the same, rather than one of them taking everything. */
function isTyped(workflow: Workflow, specs: Specs, wish: Wish): boolean {
  const source = nodeOf(workflow, wish.source)
  const target = nodeOf(workflow, wish.target)
  if (!source || !target) return false
  const given = outputType(workflow, specs, source, wish.output)
  return given === inputType(workflow, specs, target, wish.input)
}

/** The wire between two ends, or null where both are outputs or both inputs. */
export function wishBetween(one: WireEnd, other: WireEnd): Wish | null {
  if ('output' in one.socket && 'input' in other.socket) {
    const { output } = one.socket
    return { source: one.node, output, target: other.node, input: other.socket.input }
  }
  if ('input' in one.socket && 'output' in other.socket) return wishBetween(other, one)
  return null
}

function refusalBetween(one: WireEnd, other: WireEnd | null): Refusal {
  const wish = other && wishBetween(one, other)
  const { workflow } = useGraph.getState()
  const reason = wish && refusal(wish, workflow, useCatalog.getState().specs)
  return reason ?? { reason: 'direction' }
}

// ---- Moving the end of a wire ---------------------------------------------------------------

export function onReconnectStart(): void {
  useView.setState({ reconnecting: true })
}

export function onReconnect(wire: WireFlow, connection: Connection): void {
  const wish = wishOf(connection)
  const { specs } = useCatalog.getState()
  if (!wish) return
  edit((workflow) => {
    const old = workflow.links.find((link) => String(link.id) === wire.id)
    const isSame =
      old?.source === wish.source &&
      old.output === wish.output &&
      old.target === wish.target &&
      old.input === wish.input
    if (!old || isSame) return workflow
    return withLink(withoutLinks(workflow, new Set([old.id])), specs, wish)
  })
}

/** An end that is let go over nothing takes the wire away. */
export function onReconnectEnd(
  event: MouseEvent | TouchEvent,
  wire: WireFlow,
  _side: unknown,
  state: FinalConnectionState,
): void {
  if (state.isValid) return
  const from = state.fromHandle && wireEndOf(state.fromHandle)
  if (from && state.toHandle) {
    showRefusal(pointOf(event), refusalBetween(from, wireEndOf(state.toHandle)))
  } else {
    edit((workflow) => withoutLinks(workflow, new Set([Number(wire.id)])))
  }
}

// ---- Places on the page ---------------------------------------------------------------------

const REFUSAL_MS = 2600

/** Say for a while why a wire was not taken. */
function showRefusal(at: Point, reason: Refusal): void {
  const refused = { at, refusal: reason }
  useView.setState({ refused })
  setTimeout(() => {
    useView.setState((view) => (view.refused === refused ? { refused: null } : view))
  }, REFUSAL_MS)
}

export function pointOf(event: MouseEvent | TouchEvent): Point {
  const touch = 'changedTouches' in event ? event.changedTouches[0] : event
  return { x: touch?.clientX ?? 0, y: touch?.clientY ?? 0 }
}

/** The node that is drawn at a point of the page. */
function nodeAt({ x, y }: Point): NodeId | null {
  const element = document.elementFromPoint(x, y)?.closest('.react-flow__node-node')
  return element?.getAttribute('data-id') ?? null
}
