/**
 * Everything that the editor can be told to do: a command is an id, its keys and what it does.
 * The keyboard, the menus, the bar and the tests all go through this table.
 */

import { middleOfCanvas, useView } from '../canvas/view'
import { fitView, zoomBy } from '../canvas/viewport'
import { loadCatalog } from '../catalog/store'
import { toggledCollapse, toggledMode } from '../graph/actions'
import { edit, redo, undo, useGraph } from '../graph/store'
import { interruptRun } from '../run/queue'
import { useRun } from '../run/store'
import { MODE } from '../types'
import { copySelection, cutSelection, duplicateSelection, pasteClipping } from './clipping'
import { newWorkflow, openFile, saveFile } from './file'
import { queue } from './queue'
import { deleteSelection, groupSelection, hasSelection, selectAll } from './selection'

export interface Command {
  /** Keys such as `mod+shift+z`; `mod` is Ctrl, or Command on a Mac. */
  readonly keys: readonly string[]
  readonly perform: () => void | Promise<void>
  readonly isEnabled?: () => boolean
  /** Also while a text is being written. */
  readonly everywhere?: boolean
  /** Only while nothing has the keyboard's focus but the canvas. */
  readonly canvasOnly?: boolean
}

const hasNodes = () => useGraph.getState().selected.size > 0

export const COMMANDS = {
  queue: { keys: ['mod+enter'], perform: () => queue({ front: false }), everywhere: true },
  queueFront: {
    keys: ['mod+shift+enter'],
    perform: () => queue({ front: true }),
    everywhere: true,
  },
  interrupt: {
    keys: ['mod+alt+enter'],
    perform: interruptRun,
    isEnabled: () => useRun.getState().jobs.length > 0,
    everywhere: true,
  },
  new: { keys: [], perform: newWorkflow },
  open: { keys: ['mod+o'], perform: openFile, everywhere: true },
  save: { keys: ['mod+s'], perform: saveFile, everywhere: true },
  undo: {
    keys: ['mod+z'],
    perform: undo,
    isEnabled: () => useGraph.getState().history.past.length > 0,
  },
  redo: {
    keys: ['mod+shift+z', 'mod+y'],
    perform: redo,
    isEnabled: () => useGraph.getState().history.future.length > 0,
  },
  cut: { keys: ['mod+x'], perform: cutSelection, isEnabled: hasNodes },
  copy: { keys: ['mod+c'], perform: copySelection, isEnabled: hasNodes },
  paste: { keys: ['mod+v'], perform: pasteClipping },
  duplicate: { keys: ['mod+d'], perform: duplicateSelection, isEnabled: hasNodes },
  delete: { keys: ['delete', 'backspace'], perform: deleteSelection, isEnabled: hasSelection },
  selectAll: { keys: ['mod+a'], perform: selectAll },
  mute: {
    keys: ['mod+m'],
    perform: () => edit((workflow) => toggledMode(workflow, selected(), MODE.muted)),
    isEnabled: hasNodes,
  },
  bypass: {
    keys: ['mod+b'],
    perform: () => edit((workflow) => toggledMode(workflow, selected(), MODE.bypassed)),
    isEnabled: hasNodes,
  },
  collapse: {
    keys: ['alt+c'],
    perform: () => edit((workflow) => toggledCollapse(workflow, selected())),
    isEnabled: hasNodes,
  },
  rename: {
    keys: ['f2'],
    perform: () => useView.setState({ renaming: [...selected()][0] ?? null }),
    isEnabled: () => selected().size === 1,
  },
  group: { keys: ['mod+g'], perform: groupSelection },
  palette: {
    keys: ['tab', 'space'],
    perform: () => useView.setState({ palette: { at: middleOfCanvas(), wire: null } }),
    canvasOnly: true,
  },
  fit: { keys: ['.'], perform: () => fitView() },
  zoomIn: { keys: ['alt+=', '+'], perform: () => zoomBy(1.25) },
  zoomOut: { keys: ['alt+-', '-'], perform: () => zoomBy(0.8) },
  refresh: { keys: ['r'], perform: loadCatalog },
} as const satisfies Record<string, Command>

export type CommandId = keyof typeof COMMANDS

function selected() {
  return useGraph.getState().selected
}

export function commandOf(id: CommandId): Command {
  return COMMANDS[id]
}
