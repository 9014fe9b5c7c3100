import { expect, test } from 'vitest'

import { COMMANDS, type CommandId, commandOf } from './commands'
import { commandFor, keysOf, mayPerform, shortcutText } from './shortcuts'

const press = (key: string, code: string, held: Partial<Parameters<typeof keysOf>[0]> = {}) =>
  keysOf({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held })

test.each([
  ['z', 'KeyZ', { ctrlKey: true }, 'undo'],
  ['Z', 'KeyZ', { ctrlKey: true, shiftKey: true }, 'redo'],
  ['z', 'KeyZ', { metaKey: true }, 'undo'],
  ['ㅋ', 'KeyZ', { ctrlKey: true }, 'undo'],
  ['Enter', 'Enter', { ctrlKey: true }, 'queue'],
  ['Delete', 'Delete', {}, 'delete'],
  [' ', 'Space', {}, 'palette'],
  ['q', 'KeyQ', { ctrlKey: true }, null],
] as const)('%s (%s, %o) means %s', (key, code, held, command) => {
  expect(commandFor(press(key, code, held))).toBe(command)
})

test('no two commands share a key', () => {
  const keys = Object.keys(COMMANDS).flatMap((id) => commandOf(id as CommandId).keys)
  expect(new Set(keys).size).toBe(keys.length)
})

test('while a text is written only queueing and files are commands', () => {
  expect(mayPerform(COMMANDS.queue, 'text', 'mod+enter')).toBe(true)
  expect(mayPerform(COMMANDS.delete, 'text', 'delete')).toBe(false)
  expect(mayPerform(COMMANDS.palette, 'control', 'space')).toBe(false)
  expect(mayPerform(COMMANDS.delete, 'control', 'delete')).toBe(true)
})

test('Tab opens the palette on the canvas only, so that it can walk through a fresh page', () => {
  expect(mayPerform(COMMANDS.palette, 'canvas', 'tab')).toBe(true)
  expect(mayPerform(COMMANDS.palette, 'page', 'tab')).toBe(false)
  expect(mayPerform(COMMANDS.palette, 'page', 'space')).toBe(true)
})

test('keys are shown as the system writes them', () => {
  expect(shortcutText('redo', false)).toBe('Ctrl+Shift+Z')
  expect(shortcutText('redo', true)).toBe('⌘⇧Z')
})
