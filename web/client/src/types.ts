/** The two nouns that every part of the editor shares: what a node is, and the document. */

/** Any JSON value; a bigint is an integer that a double cannot hold, such as a 64-bit seed. */
export type Value =
  string | number | bigint | boolean | null | readonly Value[] | { readonly [key: string]: Value }

export type JsonObject = Readonly<Record<string, Value>>

// ---- What a node is -----------------------------------------------------------------------

/** What happens to a seed after it has been queued. */
export const CONTROLS = ['fixed', 'increment', 'decrement', 'randomize'] as const
export type Control = (typeof CONTROLS)[number]

export type Choice = string | number | boolean

/** How the value of an input is edited. */
export type WidgetSpec =
  | {
      readonly kind: 'number'
      readonly integer: boolean
      readonly default: number
      readonly min: number
      readonly max: number
      readonly step: number
      /** Digits after the decimal point that are shown. */
      readonly precision: number
    }
  | {
      readonly kind: 'seed'
      readonly default: number
      readonly min: number
      readonly max: number
      readonly control: Control
    }
  | {
      readonly kind: 'choice'
      readonly options: readonly Choice[]
      readonly default: Choice | null
      /** The value may change after queueing as a seed does. */
      readonly controlled: boolean
    }
  | {
      readonly kind: 'image'
      readonly options: readonly string[]
      readonly default: string | null
    }
  | {
      readonly kind: 'text'
      readonly multiline: boolean
      readonly default: string
      readonly placeholder: string
    }
  | {
      readonly kind: 'toggle'
      readonly default: boolean
      readonly on: string | null
      readonly off: string | null
    }
  | {
      /** A value for which the node's pack has a field of its own, in ComfyUI's editor. */
      readonly kind: 'json'
      readonly default: Value
    }

export interface InputSpec {
  readonly name: string
  /** Wire type (`MODEL`, `INT`, …); types that fit alternatively are separated by commas. */
  readonly type: string
  readonly label: string
  readonly optional: boolean
  readonly tooltip: string
  /** Null where the input takes a wire only. */
  readonly widget: WidgetSpec | null
  /** The node has the input while all of these hold. */
  readonly when?: readonly Presence[]
}

/** An input may be there once the document lists it, or while another input has a certain value. */
export type Presence =
  | { readonly kind: 'listed' }
  | { readonly kind: 'chosen'; readonly by: string; readonly value: Value }

export interface OutputSpec {
  readonly name: string
  readonly type: string
  readonly tooltip: string
}

export interface NodeSpec {
  readonly type: string
  readonly title: string
  readonly category: string
  readonly description: string
  /** Other words by which the palette finds it. */
  readonly aliases: readonly string[]
  /** It makes something to look at or to keep, and is therefore what a job runs for. */
  readonly output: boolean
  readonly deprecated: boolean
  readonly experimental: boolean
  /** It exists in the editor only, like a note, and never reaches the server. */
  readonly virtual: boolean
  readonly inputs: readonly InputSpec[]
  readonly outputs: readonly OutputSpec[]
}

export type Specs = Readonly<Record<string, NodeSpec>>

// ---- The document -------------------------------------------------------------------------

export type NodeId = string
export type LinkId = number
export type WaypointId = number

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

export type Rect = Point & Size

/** How a node takes part: ComfyUI's numbers 0, 2 and 4; others are kept as they are. */
export const MODE = { always: 0, muted: 2, bypassed: 4 } as const

/** An input as the document lists it; `rest` holds what this editor does not know. */
export interface InputSlot {
  readonly name: string
  readonly type: string
  readonly rest: JsonObject
}

export interface OutputSlot {
  readonly name: string
  readonly type: string
  readonly rest: JsonObject
}

export interface GraphNode {
  readonly id: NodeId
  readonly type: string
  /** The top left corner below the title bar, as ComfyUI counts. */
  readonly position: Point
  /** Without the title bar; null lets the content decide. */
  readonly size: Size | null
  readonly mode: number
  readonly collapsed: boolean
  readonly title: string | null
  readonly inputs: readonly InputSlot[]
  readonly outputs: readonly OutputSlot[]
  /** `widgets_values` as the file has it: by position in the spec, or by name, or absent. */
  readonly values: readonly Value[] | JsonObject | null
  readonly rest: JsonObject
}

/** A wire from output number `output` of `source` to the input named `input` of `target`. */
export interface Link {
  readonly id: LinkId
  readonly source: NodeId
  readonly output: number
  readonly target: NodeId
  readonly input: string
  readonly type: string
  /** The last waypoint on its way, which names those before it; null for a straight way. */
  readonly via: WaypointId | null
}

/** A point that wires pass through: a reroute that is no node. */
export interface Waypoint {
  readonly id: WaypointId
  /** The waypoint before it on the way from the source. */
  readonly parent: WaypointId | null
  readonly at: Point
  readonly rest: JsonObject
}

export interface Group {
  readonly id: number
  readonly title: string
  readonly bounds: Rect
  readonly color: string | null
  readonly rest: JsonObject
}

/** What the editor edits; never changed in place. */
export interface Workflow {
  readonly nodes: readonly GraphNode[]
  readonly links: readonly Link[]
  readonly waypoints: readonly Waypoint[]
  readonly groups: readonly Group[]
  /** The highest numbers given so far, so that none is given twice. */
  readonly lastNodeId: number
  readonly lastLinkId: number
  readonly rest: JsonObject
}
