import { BaseEdge, type EdgeProps } from '@xyflow/react'
import { memo } from 'react'

import { wireColor } from '../theme/wires'
import { curve } from './curve'
import type { WireFlow } from './flow'

/** A wire: a soft curve in the color of its type. */
export const Wire = memo(function Wire({ data, ...edge }: EdgeProps<WireFlow>) {
  const path = curve(edge.sourceX, edge.sourceY, edge.targetX, edge.targetY)
  return (
    <BaseEdge
      path={path}
      interactionWidth={14}
      className="wire"
      style={{ stroke: wireColor(data?.type ?? '*') }}
    />
  )
})
