import { IconChevronLeft, IconChevronRight } from '../icons'
import { type KeyboardEvent, useRef, useState } from 'react'

import type { Value } from '../types'
import { format, type NumberRange, type Numeric, parse, stepped, toNumeric } from './numbers'
import { useScrub } from './useScrub'

interface Props {
  readonly label: string
  readonly value: Value
  readonly fallback: number
  readonly range: NumberRange
  readonly onChange: (value: Numeric) => void
  readonly arrows?: boolean
}

/** A number that is typed, stepped by arrows, or dragged sideways. */
export function NumberField({ label, value, fallback, range, onChange, arrows = true }: Props) {
  const [draft, setDraft] = useState<string | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const current = toNumeric(value, fallback)
  const step = (steps: number) => {
    setDraft(null)
    onChange(stepped(current, steps, range))
  }
  const scrub = useScrub({
    onClick: () => {
      input.current?.focus()
      input.current?.select()
    },
    onScrub: (start: Numeric, steps) => onChange(stepped(start, steps, range)),
  })
  const commit = () => {
    const typed = draft === null ? null : parse(draft, range)
    if (typed !== null && typed !== current) onChange(typed)
    setDraft(null)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') input.current?.blur()
    else if (event.key === 'Escape') setDraft(null)
    else if (event.key === 'ArrowUp') step(event.shiftKey ? 10 : 1)
    else if (event.key === 'ArrowDown') step(event.shiftKey ? -10 : -1)
    else return
    event.preventDefault()
  }
  return (
    <div className="field number nodrag" {...scrub(current)}>
      {arrows && <Arrow direction={-1} onStep={step} />}
      <span className="field-label">{label}</span>
      <input
        ref={input}
        className="field-value"
        type="text"
        inputMode={range.integer ? 'numeric' : 'decimal'}
        autoComplete="off"
        spellCheck={false}
        aria-label={label}
        value={draft ?? format(current, range)}
        onFocus={() => setDraft(format(current, range))}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={onKeyDown}
      />
      {arrows && <Arrow direction={1} onStep={step} />}
    </div>
  )
}

function Arrow({ direction, onStep }: { direction: 1 | -1; onStep: (steps: number) => void }) {
  const Icon = direction > 0 ? IconChevronRight : IconChevronLeft
  return (
    <button
      type="button"
      className="field-arrow"
      tabIndex={-1}
      aria-hidden
      data-direction={direction}
      onPointerDown={(event) => event.stopPropagation()}
      onClick={(event) => onStep(direction * (event.shiftKey ? 10 : 1))}
    >
      <Icon size={12} stroke={2} />
    </button>
  )
}
