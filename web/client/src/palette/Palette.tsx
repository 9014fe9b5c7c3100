import './palette.css'

import { Portal } from '@mantine/core'
import { useClickOutside, useFocusTrap, useMergedRef } from '@mantine/hooks'
import { type CSSProperties, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { focusCanvas } from '../canvas/focus'
import { type PaletteRequest, useView } from '../canvas/view'
import { useCatalog } from '../catalog/store'
import { wireColor } from '../theme/wires'
import type { NodeSpec, Point } from '../types'
import { addNode } from './addNode'
import { offersFor } from './offers'
import { SearchList } from './SearchList'

const WIDTH = 420
const HEIGHT = 440
const MARGIN = 12

/** The search for a node to add, where it was asked for. */
export function Palette() {
  const request = useView((view) => view.palette)
  if (!request) return null
  return <OpenPalette key={`${request.at.x} ${request.at.y}`} request={request} />
}

function close(): void {
  useView.setState({ palette: null })
}

function closeToCanvas(): void {
  close()
  focusCanvas()
}

function OpenPalette({ request }: { request: PaletteRequest }) {
  const { t } = useTranslation()
  const { specs, state } = useCatalog()
  const offers = offersFor(specs, request.wire)
  const [active, setActive] = useState<NodeSpec | null>(offers[0] ?? null)
  const ref = useMergedRef<HTMLDivElement>(useClickOutside(close), useFocusTrap())
  return (
    <Portal>
      <div
        ref={ref}
        className="palette"
        role="dialog"
        aria-label={t('palette.label')}
        style={placeFor(request.at)}
        onKeyDown={(event) => {
          event.stopPropagation()
          if (event.key === 'Escape') closeToCanvas()
          if (event.key === 'Tab') event.preventDefault()
        }}
      >
        <SearchList
          label={t('palette.label')}
          placeholder={placeholder(t, request)}
          nothing={state === 'loading' ? t('palette.loading') : t('palette.nothing')}
          items={offers.map((spec) => ({
            key: spec.title,
            value: spec,
            words: [spec.type, spec.category, ...spec.aliases],
            handicap: spec.deprecated ? 40 : spec.experimental ? 10 : 0,
            section: spec.category || t('palette.other'),
            detail: <Sockets spec={spec} />,
          }))}
          onActive={setActive}
          onPick={(spec) => {
            closeToCanvas()
            addNode(spec, request)
          }}
        />
        {active && active.description !== '' && (
          <p className="palette-description">{active.description}</p>
        )}
      </div>
    </Portal>
  )
}

type Translate = ReturnType<typeof useTranslation>['t']

function placeholder(t: Translate, { wire }: PaletteRequest): string {
  if (!wire) return t('palette.placeholder')
  const { type } = wire
  return 'output' in wire.socket
    ? t('palette.placeholderTo', { type })
    : t('palette.placeholderFrom', { type })
}

/** What a node takes and gives, as dots. */
function Sockets({ spec }: { spec: NodeSpec }) {
  const inputs = spec.inputs.filter((input) => input.widget === null)
  return (
    <span className="palette-sockets" aria-hidden>
      {inputs.map((input) => (
        <Dot key={input.name} type={input.type} hollow />
      ))}
      {inputs.length > 0 && spec.outputs.length > 0 && <i>›</i>}
      {spec.outputs.map((output, index) => (
        <Dot key={index} type={output.type} />
      ))}
    </span>
  )
}

function Dot({ type, hollow = false }: { type: string; hollow?: boolean }) {
  const style = { '--socket': wireColor(type) } as CSSProperties
  return <b data-hollow={hollow || undefined} style={style} title={type} />
}

/** Beside the pointer, but inside the window. */
function placeFor({ x, y }: Point): CSSProperties {
  const left = Math.min(Math.max(x - 24, MARGIN), window.innerWidth - WIDTH - MARGIN)
  const top = Math.min(Math.max(y - 22, MARGIN), window.innerHeight - HEIGHT - MARGIN)
  return { left, top: Math.max(top, MARGIN), width: WIDTH, maxHeight: HEIGHT }
}
