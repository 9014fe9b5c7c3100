/** Copy, cut, paste and duplicate, with the browser's clipboard where it may be used. */

import { middleOfCanvas, toDocument, useView } from '../canvas/view'
import { withoutNodes } from '../graph/actions'
import { copied, pasted, readClipping } from '../graph/clipboard'
import { edit, select, useGraph } from '../graph/store'
import type { Point, Workflow } from '../types'

/** What was copied last in this window, for browsers that keep their clipboard to themselves. */
let lastCopied = ''

const OFFSET = 30

export function copySelection(): void {
  const { workflow, selected } = useGraph.getState()
  if (selected.size === 0) return
  lastCopied = copied(workflow, selected)
  // Pages that are not served over https or from this machine have no clipboard.
  void (navigator.clipboard as Clipboard | undefined)?.writeText(lastCopied).catch(() => undefined)
}

export function cutSelection(): void {
  copySelection()
  const { selected } = useGraph.getState()
  edit((workflow) => withoutNodes(workflow, selected))
}

export function pasteClipping(): void {
  pasteText(lastCopied)
}

/** Paste nodes that a text holds, else those that were copied here; false if there are none. */
export function pasteText(text: string): boolean {
  const part = readClipping(text) ?? readClipping(lastCopied)
  if (!part || part.nodes.length === 0) return false
  paste(part, placeFor(part))
  return true
}

/** Copy the selected nodes beside themselves, leaving the clipboard alone. */
export function duplicateSelection(): void {
  const { workflow, selected } = useGraph.getState()
  const part = readClipping(copied(workflow, selected))
  if (part && part.nodes.length > 0) paste(part, beside(part))
}

function paste(part: Workflow, at: Point): void {
  let ids: ReadonlySet<string> = new Set()
  edit((workflow) => {
    const result = pasted(workflow, part, at)
    ids = result.ids
    return result.workflow
  })
  select(ids)
}

/** Beside the originals while they are in sight, else in the middle of the view. */
function placeFor(part: Workflow): Point {
  const { workflow } = useGraph.getState()
  const corner = cornerOf(part)
  const taken = new Set(workflow.nodes.map(({ position }) => `${position.x} ${position.y}`))
  const isShown = useView.getState().flow?.getIntersectingNodes(visibleArea()).length ?? 0
  if (isShown === 0 && workflow.nodes.length > 0) return centered(part)
  let at = beside(part)
  if (!taken.has(`${corner.x} ${corner.y}`)) at = centered(part)
  while (taken.has(`${at.x} ${at.y}`)) at = { x: at.x + OFFSET, y: at.y + OFFSET }
  return at
}

function beside(part: Workflow): Point {
  const { x, y } = cornerOf(part)
  return { x: x + OFFSET, y: y + OFFSET }
}

function cornerOf({ nodes }: Workflow): Point {
  return {
    x: Math.min(...nodes.map((node) => node.position.x)),
    y: Math.min(...nodes.map((node) => node.position.y)),
  }
}

function centered(part: Workflow): Point {
  const { x, y } = cornerOf(part)
  const right = Math.max(...part.nodes.map((node) => node.position.x + (node.size?.width ?? 200)))
  const bottom = Math.max(...part.nodes.map((node) => node.position.y + (node.size?.height ?? 100)))
  const middle = toDocument(middleOfCanvas())
  return {
    x: Math.round((middle.x - (right - x) / 2) / 10) * 10,
    y: Math.round((middle.y - (bottom - y) / 2) / 10) * 10,
  }
}

function visibleArea() {
  const box = document.querySelector('.react-flow')?.getBoundingClientRect()
  const from = toDocument({ x: box?.left ?? 0, y: box?.top ?? 0 })
  const to = toDocument({ x: box?.right ?? 0, y: box?.bottom ?? 0 })
  return { ...from, width: to.x - from.x, height: to.y - from.y }
}
