import { type KeyboardEvent, type ReactNode, useId, useState } from 'react'

import { bestMatch } from './fuzzy'

export interface SearchItem<T> {
  readonly key: string
  readonly value: T
  /** Other words by which it is found. */
  readonly words: readonly string[]
  /** How much lower than others it stands where a query finds both. */
  readonly handicap?: number
  /** What stands to the right of the name. */
  readonly detail?: ReactNode
  /** Items of one section stand under its name while nothing is searched for. */
  readonly section?: string
}

interface Props<T> {
  readonly label: string
  readonly placeholder: string
  readonly nothing: string
  readonly items: readonly SearchItem<T>[]
  /** The key of the item that is chosen now. */
  readonly current?: string
  readonly onPick: (value: T) => void
  /** Told which item the keyboard or the pointer is on. */
  readonly onActive?: (value: T | null) => void
}

/** A text field with a list below that it filters; arrows move, Enter picks. */
export function SearchList<T>({ items, current, onPick, onActive, ...texts }: Props<T>) {
  const id = useId()
  const [query, setQuery] = useState('')
  const found = search(query, items)
  const start = Math.max(
    found.findIndex(({ item }) => item.key === current),
    0,
  )
  const [active, setActive] = useState(start)
  const activate = (index: number) => {
    setActive(index)
    onActive?.(found[index]?.item.value ?? null)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const to = target(event.key, active, found.length)
    if (to !== null) activate(to)
    else if (event.key === 'Enter' && !event.nativeEvent.isComposing) pick(found[active]?.item)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const pick = (item: SearchItem<T> | undefined) => {
    if (item) onPick(item.value)
  }
  return (
    <div className="search-list">
      <input
        className="search-input"
        data-autofocus
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={`${id}-${active}`}
        aria-label={texts.label}
        placeholder={texts.placeholder}
        autoComplete="off"
        spellCheck={false}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value)
          setActive(0)
          onActive?.(search(event.target.value, items)[0]?.item.value ?? null)
        }}
        onKeyDown={onKeyDown}
      />
      <div className="search-results" role="listbox" id={id} aria-label={texts.label}>
        {found.length === 0 && <p className="search-nothing">{texts.nothing}</p>}
        {found.map(({ item, places }, index) => (
          <Row
            key={item.key}
            id={`${id}-${index}`}
            item={item}
            places={places}
            active={index === active}
            chosen={item.key === current}
            heading={query === '' && item.section !== found[index - 1]?.item.section}
            onHover={() => activate(index)}
            onPick={() => pick(item)}
          />
        ))}
      </div>
    </div>
  )
}

interface RowProps<T> {
  readonly id: string
  readonly item: SearchItem<T>
  readonly places: readonly number[]
  readonly active: boolean
  readonly chosen: boolean
  readonly heading: boolean
  readonly onHover: () => void
  readonly onPick: () => void
}

function Row<T>({ id, item, places, active, chosen, heading, onHover, onPick }: RowProps<T>) {
  return (
    <>
      {heading && item.section !== undefined && (
        <div className="search-section" role="presentation">
          {item.section}
        </div>
      )}
      <div
        id={id}
        role="option"
        aria-selected={active}
        className="search-row"
        data-active={active || undefined}
        data-chosen={chosen || undefined}
        ref={(element) => {
          if (active) element?.scrollIntoView({ block: 'nearest' })
        }}
        onPointerMove={active ? undefined : onHover}
        onClick={onPick}
      >
        <span className="search-name">{marked(item.key, places)}</span>
        {item.detail}
      </div>
    </>
  )
}

interface Found<T> {
  readonly item: SearchItem<T>
  readonly places: readonly number[]
}

/** The items that a query finds, best first; all of them for an empty one. */
function search<T>(query: string, items: readonly SearchItem<T>[]): Found<T>[] {
  if (query.trim() === '') return items.map((item) => ({ item, places: [] }))
  return items
    .flatMap((item) => {
      const match = bestMatch(query, item.key, item.words)
      if (!match) return []
      return [{ item, places: match.places, score: match.score - (item.handicap ?? 0) }]
    })
    .sort((one, other) => other.score - one.score)
}

/** Where a key leads in a list, or null for other keys. */
function target(key: string, active: number, length: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return length === 0 ? 0 : (active + 1) % length
    case 'ArrowUp':
      return length === 0 ? 0 : (active - 1 + length) % length
    case 'PageDown':
      return Math.min(active + 10, length - 1)
    case 'PageUp':
      return Math.max(active - 10, 0)
    default:
      return null
  }
}

/** A text with the letters at some places marked. */
function marked(text: string, places: readonly number[]): ReactNode {
  if (places.length === 0) return text
  const hits = new Set(places)
  return Array.from(text, (letter, index) =>
    hits.has(index) ? <mark key={index}>{letter}</mark> : letter,
  )
}
