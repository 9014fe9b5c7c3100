/** Which keys mean which command. */

import { COMMANDS, type Command, type CommandId, commandOf } from './commands'

type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

/** The keys of an event as the table of commands writes them. */
export function keysOf(event: Pressed): string {
  const { key, code, ctrlKey, metaKey, altKey, shiftKey } = event
  const isLetter = /^Key[A-Z]$/.test(code)
  // The physical key, where there is a letter on it: Korean and Russian layouts type others.
  const name = isLetter ? code.slice(3).toLowerCase() : key === ' ' ? 'space' : key.toLowerCase()
  const hasShift = shiftKey && (isLetter || name.length > 1)
  const parts = [ctrlKey || metaKey ? 'mod' : '', altKey ? 'alt' : '', hasShift ? 'shift' : '']
  return [...parts.filter((part) => part !== ''), name].join('+')
}

const IDS = Object.keys(COMMANDS) as CommandId[]

export function commandFor(keys: string): CommandId | null {
  return IDS.find((id) => commandOf(id).keys.includes(keys)) ?? null
}

/** Where the keyboard's focus is, as far as commands care; on the page as a whole at first. */
export type Focus = 'text' | 'control' | 'canvas' | 'page'

export function focusOf(target: EventTarget | null): Focus {
  if (!(target instanceof Element) || target === document.body) return 'page'
  if (target.closest('input, textarea, select, [contenteditable="true"]')) return 'text'
  return target.matches('.weft-canvas') ? 'canvas' : 'control'
}

/** True where a command may take keys that were pressed there. */
export function mayPerform(command: Command, focus: Focus, keys: string): boolean {
  if (command.everywhere) return true
  if (focus === 'text') return false
  // Who has not been on the canvas yet goes through the page with Tab.
  if (focus === 'page') return keys !== 'tab'
  return focus === 'canvas' || !command.canvasOnly
}

/** A command's first keys as people read them, `⌘Z` or `Ctrl+Z`. */
export function shortcutText(id: CommandId, isMac = isApple()): string {
  const keys = commandOf(id).keys[0]
  if (keys === undefined) return ''
  const names: Record<string, string> = isMac
    ? { mod: '⌘', shift: '⇧', alt: '⌥', enter: '↩', delete: '⌫' }
    : { mod: 'Ctrl', shift: 'Shift', alt: 'Alt', enter: 'Enter', delete: 'Del' }
  const parts = keys
    .split('+')
    .map((key) => names[key] ?? key.charAt(0).toUpperCase() + key.slice(1))
  return parts.join(isMac ? '' : '+')
}

function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent)
}
