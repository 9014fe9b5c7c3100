import type { ComponentType } from 'react'

import type { Control, InputSpec, Value, WidgetSpec } from '../types'
import { ChoiceField } from './ChoiceField'
import { ImageField } from './ImageField'
import { JsonField } from './JsonField'
import { NumberField } from './NumberField'
import { ControlMenu, SeedField } from './SeedField'
import { LongTextField, TextField } from './TextField'
import { ToggleField } from './ToggleField'

/** What every widget is given; one that has no control or no last value leaves them alone. */
export interface WidgetProps<Spec extends WidgetSpec> {
  readonly input: InputSpec
  readonly widget: Spec
  readonly value: Value
  readonly control: Control
  /** The value with which the workflow was queued last. */
  readonly last: Value | undefined
  readonly onChange: (value: Value) => void
  readonly onControl: (control: Control) => void
}

type OfKind<Kind extends WidgetSpec['kind']> = Extract<WidgetSpec, { kind: Kind }>
type Widgets = { [Kind in WidgetSpec['kind']]: ComponentType<WidgetProps<OfKind<Kind>>> }

const WIDGETS: Widgets = {
  number: ({ input, widget, value, onChange }) => (
    <NumberField
      label={input.label}
      value={value}
      fallback={widget.default}
      range={widget}
      onChange={onChange}
    />
  ),
  seed: ({ input, ...props }) => <SeedField label={input.label} {...props} />,
  choice: ({ input, widget, value, control, onChange, onControl }) => {
    const field = (
      <ChoiceField label={input.label} value={value} options={widget.options} onChange={onChange} />
    )
    if (!widget.controlled) return field
    return (
      <div className="field-row">
        {field}
        <ControlMenu label={input.label} control={control} onControl={onControl} />
      </div>
    )
  },
  image: ({ input, widget, value, onChange }) => (
    <ImageField label={input.label} value={value} options={widget.options} onChange={onChange} />
  ),
  text: ({ input, widget, value, onChange }) => {
    const Field = widget.multiline ? LongTextField : TextField
    const text = typeof value === 'string' ? value : ''
    const { placeholder } = widget
    return <Field label={input.label} value={text} placeholder={placeholder} onChange={onChange} />
  },
  toggle: ({ input, widget, value, onChange }) => (
    <ToggleField
      label={input.label}
      value={value === true}
      on={widget.on}
      off={widget.off}
      onChange={onChange}
    />
  ),
  json: ({ input, value, onChange }) => (
    <JsonField label={input.label} value={value} onChange={onChange} />
  ),
}

/** The field in which the value of an input is edited. */
export function Widget<Spec extends WidgetSpec>(props: WidgetProps<Spec>) {
  const Field = WIDGETS[props.widget.kind] as ComponentType<WidgetProps<Spec>>
  return <Field {...props} />
}
