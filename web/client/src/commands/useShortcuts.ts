import { useEffect } from 'react'

import { looksLikeWorkflow } from '../files/read'
import { isClipping } from '../graph/clipboard'
import { pasteText } from './clipping'
import { commandOf } from './commands'
import { isEnabled, perform } from './perform'
import { commandFor, focusOf, keysOf, mayPerform } from './shortcuts'

/** Listen to the keyboard and to what is pasted, for as long as the editor is drawn. */
export function useShortcuts(): void {
  useEffect(() => {
    window.addEventListener('keydown', onKeyDown)
    window.addEventListener('paste', onPaste, true)
    return () => {
      window.removeEventListener('keydown', onKeyDown)
      window.removeEventListener('paste', onPaste, true)
    }
  }, [])
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return
  const keys = keysOf(event)
  const id = commandFor(keys)
  // Pasting waits for the browser's own event, which brings what other programs copied.
  if (id === null || id === 'paste') return
  if (!mayPerform(commandOf(id), focusOf(event.target), keys) || !isEnabled(id)) return
  if (id === 'copy' && !getSelection()?.isCollapsed) return
  event.preventDefault()
  perform(id)
}

/** Nodes from the clipboard are pasted here; pictures and whole workflows are opened elsewhere. */
function onPaste(event: ClipboardEvent): void {
  if (focusOf(event.target) === 'text') return
  const text = event.clipboardData?.getData('text/plain') ?? ''
  const isForeign = looksLikeWorkflow(text) || (event.clipboardData?.files.length ?? 0) > 0
  if (isForeign && !isClipping(text)) return
  if (pasteText(text)) event.preventDefault()
}
