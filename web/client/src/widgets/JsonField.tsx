import { useState } from 'react'

import { parseJson, stringifyJson } from '../graph/json'
import type { Value } from '../types'

interface Props {
  readonly label: string
  readonly value: Value
  readonly onChange: (value: Value) => void
}

/** A value as JSON; what is typed counts once it can be read. */
export function JsonField({ label, value, onChange }: Props) {
  const [typed, setTyped] = useState<string | null>(null)
  const change = (text: string) => {
    setTyped(text)
    const read = readJson(text)
    if (read !== undefined) onChange(read)
  }
  return (
    <label className="field text nodrag">
      <span className="field-label">{label}</span>
      <input
        className="field-value"
        type="text"
        autoComplete="off"
        spellCheck={false}
        aria-invalid={typed !== null && readJson(typed) === undefined}
        value={typed ?? stringifyJson(value)}
        onChange={(event) => change(event.target.value)}
        onBlur={() => setTyped(null)}
      />
    </label>
  )
}

function readJson(text: string): Value | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
