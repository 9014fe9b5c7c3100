import { BaseEdge, type EdgeProps } from '@xyflow/react'
import { memo } from 'react'

import { wireColor } from '../theme/wires'
import { curveThrough } from './curve'
import type { WireFlow } from './flow'
import { WaypointHandle } from './WaypointHandle'

/** A wire: a soft curve in the color of its type, through the waypoints on its way. */
export const Wire = memo(function Wire({ data, ...edge }: EdgeProps<WireFlow>) {
  const way = data?.way ?? []
  const color = wireColor(data?.type ?? '*')
  const path = curveThrough([
    { x: edge.sourceX, y: edge.sourceY },
    ...way.map((point) => point.at),
    { x: edge.targetX, y: edge.targetY },
  ])
  return (
    <>
      <BaseEdge path={path} interactionWidth={14} className="wire" style={{ stroke: color }} />
      {way.map((point) => (
        <WaypointHandle key={point.id} point={point} color={color} />
      ))}
    </>
  )
})
