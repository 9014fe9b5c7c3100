import './dropZone.css'

import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { looksLikeWorkflow } from '../files/read'
import { IconFileImport } from '../icons'
import { openFile, openText } from './openFile'

/** Files dropped anywhere on the page and workflows pasted into it are opened. */
export function DropZone() {
  const { t } = useTranslation()
  const over = useDroppedFiles()
  usePastedWorkflows()
  if (!over) return null
  return (
    <div className="drop-zone" aria-hidden>
      <div>
        <IconFileImport size={34} stroke={1.3} />
        <strong>{t('file.drop')}</strong>
        <span>{t('file.dropHint')}</span>
      </div>
    </div>
  )
}

/** True while a file hovers over the page. A field that takes files itself stops the events. */
function useDroppedFiles(): boolean {
  const [over, setOver] = useState(false)
  useEffect(() => {
    const hover = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(true)
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false)
    }
    const drop = (event: DragEvent) => {
      setOver(false)
      const file = event.dataTransfer?.files[0]
      if (file === undefined || event.defaultPrevented) return
      event.preventDefault()
      void openFile(file)
    }
    window.addEventListener('dragover', hover)
    window.addEventListener('dragleave', leave)
    window.addEventListener('drop', drop)
    return () => {
      window.removeEventListener('dragover', hover)
      window.removeEventListener('dragleave', leave)
      window.removeEventListener('drop', drop)
    }
  }, [])
  return over
}

function usePastedWorkflows(): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      if (event.defaultPrevented || isTextField(event.target)) return
      const file = event.clipboardData?.files[0]
      const text = event.clipboardData?.getData('text/plain') ?? ''
      if (file !== undefined) void openFile(file)
      else if (looksLikeWorkflow(text)) void openText(text)
    }
    window.addEventListener('paste', paste)
    return () => window.removeEventListener('paste', paste)
  }, [])
}

function isTextField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, [contenteditable]') !== null
}
