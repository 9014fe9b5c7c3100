/** Adding the node that the palette's user picked. */

import { type PaletteRequest, toDocument } from '../canvas/view'
import { firstFit } from '../canvas/wiring'
import { useCatalog } from '../catalog/store'
import { createNode, withLink, withNode } from '../graph/actions'
import { edit, select, useGraph } from '../graph/store'
import { freshSize, socketHeight, TITLE_HEIGHT } from '../nodes/metrics'
import type { NodeSpec, Point } from '../types'

/** Put a fresh node where the palette was asked for, wired where a wire asked for it. */
export function addNode(spec: NodeSpec, { at, wire }: PaletteRequest): void {
  const { specs } = useCatalog.getState()
  const blank = createNode(spec, '', { x: 0, y: 0 }, { width: 0, height: 0 })
  const size = freshSize(blank, spec)
  edit((workflow) => {
    const place = placeOf(toDocument(at), wire !== null && 'input' in wire.socket, size.width)
    const added = withNode(workflow, spec, place, size)
    const wish = wire && firstFit(added, specs, String(added.lastNodeId), wire)
    return wish ? withLink(added, specs, wish) : added
  })
  select([String(useGraph.getState().workflow.lastNodeId)])

  /** The first socket lies where the wire was dropped; without a wire the title does. */
  function placeOf(point: Point, isGiver: boolean, width: number): Point {
    const x = wire === null ? point.x - 40 : isGiver ? point.x - width : point.x
    const y = wire === null ? point.y + TITLE_HEIGHT / 2 : point.y - firstRow()
    return { x: snapped(x), y: snapped(y) }
  }

  function firstRow(): number {
    return socketHeight(blank, 0) - TITLE_HEIGHT
  }
}

function snapped(length: number): number {
  return Math.round(length / 10) * 10
}
