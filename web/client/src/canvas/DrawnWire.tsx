import { type ConnectionLineComponentProps, Position } from '@xyflow/react'

import { wireColor } from '../theme/wires'
import { curve } from './curve'
import type { FlowNode } from './flow'
import { useView } from './view'

/** The wire that is being drawn. */
export function DrawnWire(props: ConnectionLineComponentProps<FlowNode>) {
  const { fromX, fromY, toX, toY, fromPosition, connectionStatus } = props
  const type = useView((view) => view.wiring) ?? '*'
  const path =
    fromPosition === Position.Right ? curve(fromX, fromY, toX, toY) : curve(toX, toY, fromX, fromY)
  const color = connectionStatus === 'invalid' ? 'var(--danger)' : wireColor(type)
  return (
    <g className="wire-drawn" data-status={connectionStatus}>
      <path d={path} fill="none" stroke={color} />
      <circle cx={toX} cy={toY} r={4} fill={color} />
    </g>
  )
}
