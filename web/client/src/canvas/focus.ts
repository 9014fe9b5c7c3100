import { nodeOf } from '../graph/document'
import { select, useGraph } from '../graph/store'
import type { NodeId } from '../types'
import { fitNodes } from './viewport'

/** Bring a node to the middle of the view and select it. */
export function focusNode(id: NodeId): void {
  const node = nodeOf(useGraph.getState().workflow, id)
  if (!node) return
  select([id])
  fitNodes([node])
}

/** Give the keyboard back to the canvas, whose keys work while nothing on it has the focus. */
export function focusCanvas(): void {
  document.querySelector<HTMLElement>('.weft-canvas')?.focus({ preventScroll: true })
}
