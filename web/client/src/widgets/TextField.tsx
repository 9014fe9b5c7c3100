interface Props {
  readonly label: string
  readonly value: string
  readonly placeholder: string
  readonly onChange: (value: string) => void
}

/** Text of several lines; it takes the room that the node has left. */
export function LongTextField({ label, value, placeholder, onChange }: Props) {
  return (
    <textarea
      className="field long-text nodrag nowheel nopan"
      aria-label={label}
      placeholder={placeholder || label}
      spellCheck={false}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}

/** Text of one line. */
export function TextField({ label, value, placeholder, onChange }: Props) {
  return (
    <label className="field text nodrag">
      <span className="field-label">{label}</span>
      <input
        className="field-value"
        type="text"
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}
