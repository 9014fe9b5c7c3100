import { useConnection } from '@xyflow/react'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'

import type { Refusal } from '../graph/fitting'
import type { Point } from '../types'
import { handleOutput } from './flow'
import { useView } from './view'
import { refusalOf } from './wiring'

/** Says at the pointer why a wire does not fit, over a socket and after it was dropped. */
export function WireHint() {
  const { t } = useTranslation()
  const hovered = useHoveredRefusal()
  const dropped = useView((view) => view.refused)
  const shown = hovered ?? dropped
  if (!shown) return null
  return (
    <div
      className="wire-hint"
      role="status"
      style={{ left: shown.at.x + 16, top: shown.at.y + 14 }}
    >
      {sentence(t, shown.refusal)}
    </div>
  )
}

function sentence(t: TFunction, refusal: Refusal): string {
  return t(`canvas.refusal.${refusal.reason}`, { ...refusal })
}

interface Shown {
  readonly at: Point
  readonly refusal: Refusal
}

/** Why the socket under the wire that is being drawn would not take it. */
function useHoveredRefusal(): Shown | null {
  const { fromHandle, toHandle, isValid } = useConnection((connection) => ({
    fromHandle: connection.fromHandle,
    toHandle: connection.toHandle,
    isValid: connection.isValid,
  }))
  const flow = useView((view) => view.flow)
  if (!fromHandle || !toHandle || isValid !== false || !flow) return null
  const [source, target] =
    handleOutput(fromHandle.id) !== null ? [fromHandle, toHandle] : [toHandle, fromHandle]
  const refusal = refusalOf({
    source: source.nodeId,
    sourceHandle: source.id ?? null,
    target: target.nodeId,
    targetHandle: target.id ?? null,
  })
  if (!refusal) return null
  const isSameSide = fromHandle.type === toHandle.type
  const at = flow.flowToScreenPosition({ x: toHandle.x, y: toHandle.y })
  return { at, refusal: isSameSide ? { reason: 'direction' } : refusal }
}
