import { Panel, useStore } from '@xyflow/react'
import { memo, type PointerEvent, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useShallow } from 'zustand/react/shallow'

import { groupedBy } from '../graph/document'
import { useGraph } from '../graph/store'
import { wireColor } from '../theme/wires'
import type { GraphNode, Point, Rect } from '../types'
import { useView } from './view'
import { around, boxOf } from './viewport'

const WIDTH = 200
const HEIGHT = 136
const PADDING = 10

/** How the workflow lies on the map: a point of the map is `(point - offset) * scale`. */
interface Plan {
  readonly scale: number
  readonly offset: Point
}

/**
 * The workflow as a map that is drawn only when nodes change; the frame over it moves alone. With a
 * thousand nodes in view, panning is twice as smooth as with xyflow's own.
 */
export function Minimap() {
  const { t } = useTranslation()
  const nodes = useGraph((graph) => graph.workflow.nodes)
  const groups = useGraph((graph) => graph.workflow.groups)
  const measured = useView((view) => view.measured)
  const boxes = useMemo(
    () => ({ measured, nodes: nodes.map((node) => ({ node, box: boxOf(node) })) }),
    [nodes, measured],
  )
  const frames = groups.map((group) => group.bounds)
  const all = [...boxes.nodes.map(({ box }) => box), ...frames]
  if (all.length === 0) return null
  const plan = planFor(around(all))
  const go = (event: PointerEvent<HTMLElement>) => {
    if (event.buttons === 1) lookAt(pointUnder(event, plan))
  }
  return (
    <Panel
      position="bottom-right"
      className="minimap"
      role="img"
      aria-label={t('canvas.minimap')}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        go(event)
      }}
      onPointerMove={go}
    >
      <Drawing nodes={boxes.nodes} groups={frames} scale={plan.scale} {...plan.offset} />
      <Frame plan={plan} />
    </Panel>
  )
}

interface DrawingProps extends Point {
  readonly nodes: readonly { readonly node: GraphNode; readonly box: Rect }[]
  readonly groups: readonly Rect[]
  readonly scale: number
}

/** All nodes in a handful of paths, one for each color. */
const Drawing = memo(function Drawing({ nodes, groups, scale, x, y }: DrawingProps) {
  const plan = { scale, offset: { x, y } }
  const byColor = groupedBy(nodes, ({ node }) => colorOf(node))
  return (
    <svg width={WIDTH} height={HEIGHT} aria-hidden>
      <path className="minimap-groups" d={groups.map((box) => outline(box, plan)).join('')} />
      {[...byColor].map(([color, items]) => (
        <path
          key={color}
          style={{ fill: color }}
          d={items.map(({ box }) => outline(box, plan)).join('')}
        />
      ))}
    </svg>
  )
})

/** What of the workflow is in view. */
function Frame({ plan }: { plan: Plan }) {
  const [x, y, zoom, width, height] = useStore(
    useShallow((store) => [...store.transform, store.width, store.height] as const),
  )
  const left = (-x / zoom - plan.offset.x) * plan.scale
  const top = (-y / zoom - plan.offset.y) * plan.scale
  return (
    <div
      className="minimap-frame"
      style={{
        transform: `translate(${left}px, ${top}px)`,
        width: (width / zoom) * plan.scale,
        height: (height / zoom) * plan.scale,
      }}
    />
  )
}

function planFor(bounds: Rect): Plan {
  const [innerWidth, innerHeight] = [WIDTH - 2 * PADDING, HEIGHT - 2 * PADDING]
  const scale = Math.min(innerWidth / bounds.width, innerHeight / bounds.height, 0.12)
  return {
    scale,
    offset: {
      x: bounds.x + bounds.width / 2 - WIDTH / 2 / scale,
      y: bounds.y + bounds.height / 2 - HEIGHT / 2 / scale,
    },
  }
}

/** A box as a closed path, at least two pixels large. */
function outline(box: Rect, { scale, offset }: Plan): string {
  const [x, y] = [(box.x - offset.x) * scale, (box.y - offset.y) * scale]
  const [width, height] = [Math.max(box.width * scale, 2), Math.max(box.height * scale, 2)]
  return `M${x.toFixed(1)},${y.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h${(-width).toFixed(1)}z`
}

function colorOf({ outputs }: GraphNode): string {
  return outputs[0] ? wireColor(outputs[0].type) : 'var(--text-faint)'
}

/** The point of the workflow under the pointer. */
function pointUnder(event: PointerEvent<HTMLElement>, { scale, offset }: Plan): Point {
  const box = event.currentTarget.getBoundingClientRect()
  return {
    x: (event.clientX - box.x) / scale + offset.x,
    y: (event.clientY - box.y) / scale + offset.y,
  }
}

function lookAt({ x, y }: Point): void {
  const { flow } = useView.getState()
  if (flow) void flow.setCenter(x, y, { zoom: flow.getZoom() })
}
