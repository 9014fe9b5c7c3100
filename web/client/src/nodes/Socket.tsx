import { Handle, Position } from '@xyflow/react'
import type { CSSProperties, MouseEvent } from 'react'
import { useTranslation } from 'react-i18next'

import { handleInput, inputHandle, outputHandle } from '../canvas/flow'
import { linkInto } from '../graph/document'
import { useGraph } from '../graph/store'
import type { InputSpec, OutputSpec } from '../types'
import { wireColor } from '../theme/wires'

interface InputProps {
  readonly input: InputSpec
  readonly wired: boolean
  readonly top?: number | undefined
}

/** Where a wire ends. */
export function InputSocket({ input, wired, top }: InputProps) {
  const { t } = useTranslation()
  return (
    <Handle
      type="target"
      position={Position.Left}
      id={inputHandle(input.name)}
      className="socket"
      data-type={input.type}
      data-wired={wired || undefined}
      data-optional={input.optional || undefined}
      style={place(input.type, top)}
      title={describe(input.label, input.type, input.tooltip)}
      onMouseDownCapture={wired ? takeWire : undefined}
      aria-label={t('node.input', { name: input.label, type: input.type })}
    />
  )
}

interface OutputProps {
  readonly output: OutputSpec
  readonly index: number
  readonly wired: boolean
  readonly top?: number | undefined
}

/** Where wires begin. */
export function OutputSocket({ output, index, wired, top }: OutputProps) {
  const { t } = useTranslation()
  return (
    <Handle
      type="source"
      position={Position.Right}
      id={outputHandle(index)}
      className="socket"
      data-type={output.type}
      data-wired={wired || undefined}
      style={place(output.type, top)}
      title={describe(output.name, output.type, output.tooltip)}
      aria-label={t('node.output', { name: output.name, type: output.type })}
    />
  )
}

/** A press on a wired input takes the wire's end along: the wire's own grip gets the press. */
function takeWire(event: MouseEvent<HTMLElement>): void {
  const { nodeid = '', handleid } = event.currentTarget.dataset
  const link = linkInto(useGraph.getState().workflow, nodeid, handleInput(handleid) ?? '')
  const wire = link && `[data-testid="rf__edge-${link.id}"] .react-flow__edgeupdater-target`
  const grip = wire && document.querySelector(wire)
  if (!grip || event.button !== 0) return
  event.stopPropagation()
  grip.dispatchEvent(new globalThis.MouseEvent('mousedown', event.nativeEvent))
}

function place(type: string, top: number | undefined): CSSProperties {
  const color = { '--socket': wireColor(type) } as CSSProperties
  return top === undefined ? color : { ...color, top }
}

function describe(name: string, type: string, tooltip: string): string {
  const first = name === type || name === '' ? type : `${name} · ${type}`
  return tooltip === '' ? first : `${first}\n${tooltip}`
}
