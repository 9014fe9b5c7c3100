import { Popover } from '@mantine/core'
import { IconSelector } from '../icons'
import { type KeyboardEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { SearchList } from '../palette/SearchList'
import type { Choice, Value } from '../types'

interface Props {
  readonly label: string
  readonly value: Value
  readonly options: readonly Choice[]
  readonly onChange: (value: Choice) => void
}

/** One of several values, found by typing; the arrow keys step without opening the list. */
export function ChoiceField({ label, value, options, onChange }: Props) {
  const { t } = useTranslation()
  const [opened, setOpened] = useState(false)
  const known = options.some((option) => option === value)
  const shown = value === null ? t('widget.choice.none') : textOf(value)
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const next = options[options.findIndex((option) => option === value) + by]
    if (by === 0 || opened) return
    event.preventDefault()
    if (next !== undefined) onChange(next)
  }
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-start"
      width="max-content"
      offset={4}
      trapFocus
      returnFocus
      transitionProps={{ duration: 80 }}
    >
      <Popover.Target>
        <button
          type="button"
          className="field choice nodrag"
          role="combobox"
          aria-label={label}
          aria-expanded={opened}
          aria-haspopup="listbox"
          aria-invalid={!known}
          title={known ? shown : t('widget.choice.gone', { value: shown })}
          onClick={() => setOpened(!opened)}
          onKeyDown={onKeyDown}
        >
          <span className="field-label">{label}</span>
          <span className="field-value">{shown}</span>
          <IconSelector size={12} stroke={1.8} className="field-icon" />
        </button>
      </Popover.Target>
      <Popover.Dropdown className="choice-menu nowheel nodrag">
        <SearchList
          label={label}
          placeholder={t('widget.choice.search')}
          nothing={t('widget.choice.nothing')}
          items={options.map((option) => ({ key: textOf(option), value: option, words: [] }))}
          current={shown}
          onPick={(option) => {
            setOpened(false)
            onChange(option)
          }}
        />
      </Popover.Dropdown>
    </Popover>
  )
}

function textOf(value: Value): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
