/** The graph store: the document, its history and the selection. */

import { create } from 'zustand'

import type { LinkId, NodeId, Workflow } from '../types'
import { EMPTY_HISTORY, redone, remembered, undone, type History } from './history'
import { EMPTY_WORKFLOW } from './document'

export interface GraphState {
  readonly workflow: Workflow
  readonly history: History
  readonly selected: ReadonlySet<NodeId>
  readonly selectedLinks: ReadonlySet<LinkId>
  readonly selectedGroups: ReadonlySet<number>
  /** The name of the file or null for a workflow that was never saved. */
  readonly name: string | null
  /** The document as it was last saved or opened, to tell whether there is something to lose. */
  readonly saved: Workflow
  /** Counts the documents that were opened, to tell another one from a changed one. */
  readonly opened: number
}

export const useGraph = create<GraphState>(() => ({
  workflow: EMPTY_WORKFLOW,
  history: EMPTY_HISTORY,
  selected: new Set(),
  selectedLinks: new Set(),
  selectedGroups: new Set(),
  name: null,
  saved: EMPTY_WORKFLOW,
  opened: 0,
}))

/**
 * Change the document by a pure function and remember the document before for undo.
 * Changes in quick succession with the same `merge` key, such as typing, are undone together.
 */
export function edit(change: (workflow: Workflow) => Workflow, merge: string | null = null): void {
  useGraph.setState((state) => {
    const workflow = change(state.workflow)
    if (workflow === state.workflow) return state
    const history = remembered(state.history, state.workflow, merge, Date.now())
    return { ...pruned(state, workflow), history }
  })
}

/** Show another document, with a fresh history; `name` is the file it came from. */
export function openWorkflow(workflow: Workflow, name: string | null = null): void {
  useGraph.setState(({ opened }) => ({
    opened: opened + 1,
    workflow,
    name,
    saved: workflow,
    history: EMPTY_HISTORY,
    selected: new Set(),
    selectedLinks: new Set(),
    selectedGroups: new Set(),
  }))
}

/** Take note that the document lies in a file of that name. */
export function markSaved(name: string): void {
  useGraph.setState((state) => ({ name, saved: state.workflow }))
}

/** Change the document without a step of undo of its own, as seeds do after queueing. */
export function amend(change: (workflow: Workflow) => Workflow): void {
  useGraph.setState((state) => pruned(state, change(state.workflow)))
}

export function select(nodes: Iterable<NodeId>): void {
  useGraph.setState({
    selected: new Set(nodes),
    selectedLinks: new Set(),
    selectedGroups: new Set(),
  })
}

export function undo(): void {
  useGraph.setState((state) => {
    const step = undone(state.history, state.workflow)
    return step ? { ...pruned(state, step.workflow), history: step.history } : state
  })
}

export function redo(): void {
  useGraph.setState((state) => {
    const step = redone(state.history, state.workflow)
    return step ? { ...pruned(state, step.workflow), history: step.history } : state
  })
}

/** True where the document differs from what was last saved or opened. */
export function isChanged(state: GraphState): boolean {
  return state.workflow !== state.saved
}

/** The state with another document, less the selection of what is gone. */
function pruned(state: GraphState, workflow: Workflow): GraphState {
  const nodes = new Set(workflow.nodes.map((node) => node.id))
  const links = new Set(workflow.links.map((link) => link.id))
  const groups = new Set(workflow.groups.map((group) => group.id))
  return {
    ...state,
    workflow,
    selected: kept(state.selected, nodes),
    selectedLinks: kept(state.selectedLinks, links),
    selectedGroups: kept(state.selectedGroups, groups),
  }
}

function kept<T>(selected: ReadonlySet<T>, present: ReadonlySet<T>): ReadonlySet<T> {
  const left = [...selected].filter((id) => present.has(id))
  return left.length === selected.size ? selected : new Set(left)
}
