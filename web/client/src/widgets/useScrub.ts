import { type PointerEvent, useRef } from 'react'

/** Pixels of the page per step, and before a press becomes a drag. */
const PIXELS_PER_STEP = 5
const THRESHOLD = 4

interface Scrub<Start> {
  readonly onClick: () => void
  /** `steps` counts from where the drag began. */
  readonly onScrub: (start: Start, steps: number) => void
}

interface Drag<Start> {
  readonly x: number
  readonly start: Start
  readonly moved: boolean
}

/** Handlers that tell a click from a sideways drag; Shift makes ten steps of one. */
export function useScrub<Start>({ onClick, onScrub }: Scrub<Start>) {
  const drag = useRef<Drag<Start> | null>(null)
  return (start: Start) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      const isTyping = event.target === document.activeElement
      if (event.button !== 0 || isTyping) return
      event.preventDefault()
      event.currentTarget.setPointerCapture(event.pointerId)
      drag.current = { x: event.clientX, start, moved: false }
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (!drag.current) return
      const distance = event.clientX - drag.current.x
      if (!drag.current.moved && Math.abs(distance) < THRESHOLD) return
      drag.current = { ...drag.current, moved: true }
      const steps = Math.round(distance / PIXELS_PER_STEP) * (event.shiftKey ? 10 : 1)
      onScrub(drag.current.start, steps)
    },
    onPointerUp: () => {
      if (drag.current && !drag.current.moved) onClick()
      drag.current = null
    },
    onPointerCancel: () => {
      drag.current = null
    },
  })
}
