/**
 * The measures of a node in pixels of the canvas, so that its size and its sockets are known before
 * it is drawn. Title, rows and pitch follow ComfyUI's, so that the layouts of files stay as they
 * were meant; `node.css` holds the same numbers as custom properties.
 */

import { inputSpecs, outputSpecs } from '../catalog/sockets'
import type { GraphNode, InputSpec, NodeSpec, Size } from '../types'

export const TITLE_HEIGHT = 30
export const SOCKET_HEIGHT = 20
export const WIDGET_HEIGHT = 24
export const WIDGET_GAP = 3
export const PADDING = 6
export const TEXT_HEIGHT = 72
export const PICTURE_HEIGHT = 160
export const MIN_WIDTH = 150

const ROOM_FOR_PICTURE = 120

const WIDGETS_WIDTH = 270
const TEXT_WIDTH = 380
const PLAIN_WIDTH = 200

/** What a node shows, from the top to the bottom. */
export interface Anatomy {
  readonly sockets: readonly InputSpec[]
  readonly widgets: readonly InputSpec[]
  readonly outputs: readonly { readonly name: string; readonly type: string; tooltip: string }[]
}

const anatomies = new WeakMap<GraphNode, { spec: NodeSpec | undefined; anatomy: Anatomy }>()

export function anatomyOf(node: GraphNode, spec: NodeSpec | undefined): Anatomy {
  const known = anatomies.get(node)
  if (known && known.spec === spec) return known.anatomy
  const inputs = inputSpecs(node, spec)
  const anatomy = {
    sockets: inputs.filter((input) => input.widget === null),
    widgets: inputs.filter((input) => input.widget !== null),
    outputs: outputSpecs(node, spec),
  }
  anatomies.set(node, { spec, anatomy })
  return anatomy
}

/** The height of a widget's row. */
export function widgetHeight({ widget }: InputSpec): number {
  if (widget?.kind === 'text' && widget.multiline) return TEXT_HEIGHT
  if (widget?.kind === 'image') return WIDGET_HEIGHT + WIDGET_GAP + PICTURE_HEIGHT
  return WIDGET_HEIGHT
}

/** The height below the title bar that the content needs. */
export function contentHeight({ sockets, widgets, outputs }: Anatomy): number {
  const rows = Math.max(sockets.length, outputs.length)
  const fields = widgets.reduce((height, input) => height + widgetHeight(input) + WIDGET_GAP, 0)
  const top = rows === 0 ? 0 : PADDING + rows * SOCKET_HEIGHT
  const bottom = widgets.length === 0 ? PADDING : PADDING * 2 + fields - WIDGET_GAP
  return top + bottom
}

/** True where a node is much taller than what it shows, and nothing that it shows would grow. */
export function hasRoomForPicture(node: GraphNode, anatomy: Anatomy): boolean {
  const grows = anatomy.widgets.some(isFlexible)
  return !grows && (node.size?.height ?? 0) - contentHeight(anatomy) >= ROOM_FOR_PICTURE
}

function isFlexible({ widget }: InputSpec): boolean {
  return widget?.kind === 'image' || (widget?.kind === 'text' && widget.multiline)
}

/** The size below the title bar of a node fresh from the palette. */
export function freshSize(node: GraphNode, spec: NodeSpec): Size {
  const anatomy = anatomyOf(node, spec)
  const large = anatomy.widgets.some(({ widget }) => widget?.kind === 'text' && widget.multiline)
  const width = large ? TEXT_WIDTH : anatomy.widgets.length > 0 ? WIDGETS_WIDTH : PLAIN_WIDTH
  return { width, height: contentHeight(anatomy) + (large ? 48 : 0) }
}

/** The size with the title bar that the node is expected to take on the canvas. */
export function expectedSize(node: GraphNode, spec: NodeSpec | undefined): Size {
  const width = Math.max(node.size?.width ?? WIDGETS_WIDTH, MIN_WIDTH)
  if (node.collapsed) return { width: Math.min(width, 220), height: TITLE_HEIGHT }
  const height = Math.max(node.size?.height ?? 0, contentHeight(anatomyOf(node, spec)))
  return { width, height: height + TITLE_HEIGHT }
}

/** How far below the node's top each input's socket is expected. */
export function inputHeights(node: GraphNode, spec: NodeSpec | undefined): Map<string, number> {
  const { sockets, widgets, outputs } = anatomyOf(node, spec)
  if (node.collapsed) {
    return new Map([...sockets, ...widgets].map(({ name }) => [name, TITLE_HEIGHT / 2]))
  }
  const rows = Math.max(sockets.length, outputs.length)
  const heights = new Map(sockets.map(({ name }, row) => [name, socketHeight(node, row)]))
  let top = TITLE_HEIGHT + PADDING + (rows === 0 ? 0 : PADDING + rows * SOCKET_HEIGHT)
  for (const input of widgets) {
    heights.set(input.name, top + WIDGET_HEIGHT / 2)
    top += widgetHeight(input) + WIDGET_GAP
  }
  return heights
}

/** How far below the node's top the socket in a row is. */
export function socketHeight(node: GraphNode, row: number): number {
  if (node.collapsed) return TITLE_HEIGHT / 2
  return TITLE_HEIGHT + PADDING + row * SOCKET_HEIGHT + SOCKET_HEIGHT / 2
}
