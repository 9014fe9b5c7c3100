/** The view store: what the canvas shows besides the document, nothing of it worth keeping. */

import type { ReactFlowInstance } from '@xyflow/react'
import { create } from 'zustand'

import type { Refusal } from '../graph/fitting'
import type { NodeId, Point, Size } from '../types'
import type { FlowNode, WireFlow } from './flow'

/** An end of a wire that is being drawn. */
export interface WireEnd {
  readonly node: NodeId
  /** The number of an output or the name of an input. */
  readonly socket: { readonly output: number } | { readonly input: string }
  readonly type: string
}

export interface PaletteRequest {
  /** Where on the page it opens. */
  readonly at: Point
  /** What the new node is to be wired to. */
  readonly wire: WireEnd | null
}

export interface MenuRequest {
  readonly at: Point
  readonly target: 'canvas' | 'node'
}

export interface ViewState {
  /** 0 near; from 1 on nodes are boxes with ever larger titles. */
  readonly distance: 0 | 1 | 2 | 3
  /** Sizes as the browser drew them, by flow id. */
  readonly measured: ReadonlyMap<string, Size>
  /** Positions while dragging, by flow id; the document learns them at the end. */
  readonly dragged: ReadonlyMap<string, Point>
  /** Sizes while resizing, by flow id. */
  readonly resized: ReadonlyMap<string, Size>
  /** The type of the wire that is being drawn. */
  readonly wiring: string | null
  /** The end of a wire is being moved, rather than a new wire drawn. */
  readonly reconnecting: boolean
  /** A wire that was dropped where it does not fit. */
  readonly refused: { readonly at: Point; readonly refusal: Refusal } | null
  readonly palette: PaletteRequest | null
  readonly menu: MenuRequest | null
  /** The node whose title is being written. */
  readonly renaming: NodeId | null
  readonly flow: ReactFlowInstance<FlowNode, WireFlow> | null
}

export const useView = create<ViewState>(() => ({
  distance: 0,
  measured: new Map(),
  dragged: new Map(),
  resized: new Map(),
  wiring: null,
  reconnecting: false,
  refused: null,
  palette: null,
  menu: null,
  renaming: null,
  flow: null,
}))

/** Forget the sizes of a document that is no longer shown: another gives its ids to other nodes. */
export function forgetLayout(): void {
  useView.setState({ measured: new Map(), dragged: new Map(), resized: new Map() })
}

/** How far away nodes look at a zoom. */
export function distanceAt(zoom: number): ViewState['distance'] {
  if (zoom >= 0.5) return 0
  if (zoom >= 0.32) return 1
  return zoom >= 0.18 ? 2 : 3
}

/** A point of the page as a point of the document. */
export function toDocument(at: Point): Point {
  return useView.getState().flow?.screenToFlowPosition(at) ?? at
}

/** The middle of the visible canvas, on the page. */
export function middleOfCanvas(): Point {
  const box = document.querySelector('.react-flow')?.getBoundingClientRect()
  if (!box) return { x: 0, y: 0 }
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}
