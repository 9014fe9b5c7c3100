import { useTranslation } from 'react-i18next'

interface Props {
  readonly label: string
  readonly value: boolean
  readonly on: string | null
  readonly off: string | null
  readonly onChange: (value: boolean) => void
}

/** Yes or no. */
export function ToggleField({ label, value, on, off, onChange }: Props) {
  const { t } = useTranslation()
  const words = value ? (on ?? t('widget.toggle.on')) : (off ?? t('widget.toggle.off'))
  return (
    <button
      type="button"
      role="switch"
      aria-checked={value}
      aria-label={label}
      className="field toggle nodrag"
      onClick={() => onChange(!value)}
    >
      <span className="field-label">{label}</span>
      <span className="field-value">{words}</span>
      <span className="toggle-track" aria-hidden />
    </button>
  )
}
