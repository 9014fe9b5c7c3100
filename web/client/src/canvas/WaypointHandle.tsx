import type { PointerEvent } from 'react'

import { edit } from '../graph/store'
import { withWaypointAt } from '../graph/waypoints'
import type { Waypoint } from '../types'
import { toDocument } from './view'

interface Props {
  readonly point: Waypoint
  readonly color: string
}

/** A point that a wire passes through; dragging it leads all wires through it elsewhere. */
export function WaypointHandle({ point, color }: Props) {
  const onPointerDown = (event: PointerEvent<SVGCircleElement>) => {
    if (event.button !== 0) return
    event.stopPropagation()
    event.currentTarget.setPointerCapture(event.pointerId)
  }
  const onPointerMove = (event: PointerEvent<SVGCircleElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    const to = toDocument({ x: event.clientX, y: event.clientY })
    edit((workflow) => withWaypointAt(workflow, point.id, to), `waypoint ${point.id}`)
  }
  return (
    <circle
      className="waypoint nopan"
      cx={point.at.x}
      cy={point.at.y}
      r={6}
      fill={color}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
    />
  )
}
