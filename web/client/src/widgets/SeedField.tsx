import { Menu } from '@mantine/core'
import {
  IconArrowDown,
  IconArrowUp,
  IconDice5,
  IconHistory,
  IconLock,
  type TablerIcon,
} from '../icons'
import { useTranslation } from 'react-i18next'

import { nextValue } from '../graph/seeds'
import type { Control, Value, WidgetSpec } from '../types'
import { CONTROLS } from '../types'
import { NumberField } from './NumberField'
import type { Numeric } from './numbers'

const ICONS: Record<Control, TablerIcon> = {
  fixed: IconLock,
  increment: IconArrowUp,
  decrement: IconArrowDown,
  randomize: IconDice5,
}

interface ControlProps {
  readonly label: string
  readonly control: Control
  readonly onControl: (control: Control) => void
  readonly onRandomize?: () => void
  /** The value that was queued last, where it is not the one that is shown. */
  readonly last?: Value | undefined
  readonly onLast?: () => void
}

/** What becomes of a value after queueing: a button that shows it and opens the choices. */
export function ControlMenu({ control, onControl, onRandomize, last, ...props }: ControlProps) {
  const { t } = useTranslation()
  const Icon = ICONS[control]
  const title = t('widget.control.title', { label: props.label })
  return (
    <Menu position="bottom-end" offset={4} withinPortal transitionProps={{ duration: 80 }}>
      <Menu.Target>
        <button
          type="button"
          className="field-button nodrag"
          aria-label={title}
          title={`${title}: ${t(`widget.control.${control}`)}`}
          data-control={control}
        >
          <Icon size={14} stroke={1.8} />
        </button>
      </Menu.Target>
      <Menu.Dropdown className="nodrag nowheel">
        <Menu.Label>{t('widget.control.heading')}</Menu.Label>
        {CONTROLS.map((option) => {
          const OptionIcon = ICONS[option]
          return (
            <Menu.Item
              key={option}
              leftSection={<OptionIcon size={14} stroke={1.8} />}
              aria-checked={option === control}
              data-chosen={option === control || undefined}
              onClick={() => onControl(option)}
            >
              {t(`widget.control.${option}`)}
            </Menu.Item>
          )
        })}
        {onRandomize && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={<IconDice5 size={14} stroke={1.8} />} onClick={onRandomize}>
              {t('widget.control.now')}
            </Menu.Item>
          </>
        )}
        {isNumeric(last) && (
          <Menu.Item leftSection={<IconHistory size={14} stroke={1.8} />} onClick={props.onLast}>
            {t('widget.control.last', { seed: String(last) })}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

function isNumeric(value: Value | undefined): value is Numeric {
  return typeof value === 'number' || typeof value === 'bigint'
}

interface Props {
  readonly label: string
  readonly widget: Extract<WidgetSpec, { kind: 'seed' }>
  readonly value: Value
  readonly control: Control
  readonly last: Value | undefined
  readonly onChange: (value: Numeric) => void
  readonly onControl: (control: Control) => void
}

/** A seed: a long integer, with what becomes of it after queueing. */
export function SeedField({ label, widget, value, control, last, onChange, onControl }: Props) {
  const range = { integer: true, min: widget.min, max: widget.max, step: 1, precision: 0 }
  const change = (next: Value) => {
    if (isNumeric(next)) onChange(next)
  }
  return (
    <div className="field-row">
      <NumberField
        label={label}
        value={value}
        fallback={widget.default}
        range={range}
        onChange={onChange}
        arrows={false}
      />
      <ControlMenu
        label={label}
        control={control}
        onControl={onControl}
        onRandomize={() => change(nextValue(widget, value, 'randomize', Math.random))}
        last={last === value ? undefined : last}
        onLast={() => {
          if (last !== undefined) change(last)
          onControl('fixed')
        }}
      />
    </div>
  )
}
