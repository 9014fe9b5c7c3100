/** Turns /object_info into typed specs; both spellings of choices are read. */

import type {
  Choice,
  Control,
  InputSpec,
  JsonObject,
  NodeSpec,
  OutputSpec,
  Presence,
  Specs,
  Value,
  WidgetSpec,
} from '../types'
import { CONTROLS } from '../types'
import { bare } from '../graph/names'
import { asArray, asText, isList, isObject } from '../graph/reading'

/** Specs by node type; an entry that is no object is left out. */
export function parseCatalog(info: Value): Specs {
  if (!isObject(info)) return bare()
  const entries = Object.entries(info).flatMap(([type, entry]) =>
    isObject(entry) ? [[type, parseSpec(type, entry)] as const] : [],
  )
  return bare(Object.fromEntries(entries))
}

export function parseSpec(type: string, entry: JsonObject): NodeSpec {
  const input = isObject(entry.input) ? entry.input : {}
  return {
    type,
    title: asText(entry.display_name, '') || type,
    category: asText(entry.category, ''),
    description: asText(entry.description, ''),
    aliases: asArray(entry.search_aliases).filter((alias) => typeof alias === 'string'),
    output: entry.output_node === true,
    deprecated: entry.deprecated === true,
    experimental: entry.experimental === true,
    virtual: false,
    inputs: sectionsOf(input),
    outputs: parseOutputs(entry),
  }
}

function parseInputs(section: Value | undefined, optional: boolean): InputSpec[] {
  if (!isObject(section)) return []
  return Object.entries(section).flatMap(([name, declaration]) => {
    const [type, given] = asArray(declaration)
    const options = isObject(given) ? given : {}
    const input = {
      name,
      type: Array.isArray(type) ? 'COMBO' : asText(type, '*'),
      label: asText(options.display_name, '') || name,
      optional,
      tooltip: asText(options.tooltip, ''),
      widget:
        options.forceInput === true ? null : parseWidget(name, drawnAs(type, options), options),
    }
    if (type === GROWING) return membersOf(input, options)
    return type === DEPENDENT ? [input, ...partsOf(input, options)] : [input]
  })
}

const GROWING = 'COMFY_AUTOGROW_V3'
const DEPENDENT = 'COMFY_DYNAMICCOMBO_V3'
const MOST_MEMBERS = 100

/** The inputs that a growing group stands for; those beyond its least number come one by one. */
function membersOf(group: InputSpec, { template }: JsonObject): InputSpec[] {
  if (!isObject(template) || !isObject(template.input)) return []
  const [member] = sectionsOf(template.input)
  if (!member) return []
  const least = toNumber(template.min, 0)
  const numbered = Math.min(toNumber(template.max, 0), MOST_MEMBERS)
  const names = isList(template.names)
    ? template.names.map((name) => asText(name, ''))
    : Array.from({ length: numbered }, (_, index) => `${asText(template.prefix, '')}${index}`)
  return names.map((name, index) => ({
    ...member,
    name: `${group.name}.${name}`,
    label: name,
    optional: group.optional || index >= least,
    widget: null,
    ...(index >= Math.max(least, 1) && { when: [{ kind: 'listed' }] }),
  }))
}

/** The inputs behind the words of a choice. */
function partsOf(choice: InputSpec, { options }: JsonObject): InputSpec[] {
  return asArray(options).flatMap((option) => {
    if (!isObject(option) || !isObject(option.inputs)) return []
    const chosen: Presence = { kind: 'chosen', by: choice.name, value: option.key ?? null }
    return sectionsOf(option.inputs).map((part) => {
      const when = (part.when ?? []).map((one) => within(choice, one))
      return { ...part, name: `${choice.name}.${part.name}`, when: [chosen, ...when] }
    })
  })
}

/** The condition of an input behind a choice, by the full name of what decides it. */
function within(choice: InputSpec, one: Presence): Presence {
  return one.kind === 'chosen' ? { ...one, by: `${choice.name}.${one.by}` } : one
}

function sectionsOf({ required, optional }: JsonObject): InputSpec[] {
  return [...parseInputs(required, false), ...parseInputs(optional, true)]
}

function parseOutputs(entry: JsonObject): OutputSpec[] {
  const names = asArray(entry.output_name)
  const tooltips = asArray(entry.output_tooltips)
  return asArray(entry.output).map((declared, index) => {
    const type = Array.isArray(declared) ? 'COMBO' : asText(declared, '*')
    return {
      name: asText(names[index], '') || type,
      type,
      tooltip: asText(tooltips[index], ''),
    }
  })
}

/** The type whose widget an input has; one of several types may say which. */
function drawnAs(type: Value | undefined, options: JsonObject): Value | undefined {
  return typeof options.widgetType === 'string' ? options.widgetType : type
}

function parseWidget(
  name: string,
  type: Value | undefined,
  options: JsonObject,
): WidgetSpec | null {
  if (isList(type)) return choiceWidget(type, options)
  switch (type) {
    case DEPENDENT:
      return choiceWidget(asArray(options.options).map(keyOf), {})
    case 'COMBO':
      return listedElsewhere(options) ?? choiceWidget(asArray(options.options), options)
    case 'INT':
      return isSeed(name, options) ? seedWidget(options) : numberWidget(true, options)
    case 'FLOAT':
      return numberWidget(false, options)
    case 'STRING':
      return {
        kind: 'text',
        multiline: options.multiline === true,
        default: asText(options.default, ''),
        placeholder: asText(options.placeholder, ''),
      }
    case 'BOOLEAN':
      return {
        kind: 'toggle',
        default: options.default === true,
        on: typeof options.label_on === 'string' ? options.label_on : null,
        off: typeof options.label_off === 'string' ? options.label_off : null,
      }
    default:
      return options.socketless === true ? keptWidget(options.default ?? null) : null
  }
}

/** The widget of a choice of several words, or of words that only ComfyUI's editor fetches. */
function listedElsewhere(options: JsonObject): WidgetSpec | null {
  if (options.multiselect === true) return keptWidget(options.default ?? [])
  const isFetched = isObject(options.remote) && options.image_upload !== true
  return isFetched ? keptWidget(options.default ?? '') : null
}

/** What is left of a widget that only ComfyUI's editor draws. */
function keptWidget(value: Value): WidgetSpec {
  if (typeof value !== 'string') return { kind: 'json', default: value }
  return { kind: 'text', multiline: false, default: value, placeholder: '' }
}

/** Old declarations say nothing: there, the name makes a seed. */
function isSeed(name: string, options: JsonObject): boolean {
  const control = options.control_after_generate
  if (control !== undefined) return control !== false
  return name === 'seed' || name === 'noise_seed'
}

function seedWidget(options: JsonObject): WidgetSpec {
  return {
    kind: 'seed',
    default: toNumber(options.default, 0),
    min: toNumber(options.min, 0),
    max: toNumber(options.max, Number.MAX_SAFE_INTEGER),
    control: toControl(options.control_after_generate) ?? 'randomize',
  }
}

function toControl(value: Value | undefined): Control | undefined {
  return CONTROLS.find((control) => control === value)
}

function numberWidget(integer: boolean, options: JsonObject): WidgetSpec {
  const min = toNumber(options.min, integer ? 0 : -1e9)
  const step = toNumber(options.step, integer ? 1 : 0.1)
  return {
    kind: 'number',
    integer,
    default: toNumber(options.default, Math.max(min, 0)),
    min,
    max: toNumber(options.max, 1e9),
    step: step > 0 ? step : 1,
    precision: integer ? 0 : decimals(step),
  }
}

function choiceWidget(listed: readonly Value[], options: JsonObject): WidgetSpec {
  const choices = listed.filter(isChoice)
  const given = options.default
  if (options.image_upload === true) {
    const names = choices.map(String)
    return { kind: 'image', options: names, default: asText(given, '') || (names[0] ?? null) }
  }
  return {
    kind: 'choice',
    options: choices,
    default: given !== undefined && isChoice(given) ? given : (choices[0] ?? null),
    controlled:
      options.control_after_generate !== undefined && options.control_after_generate !== false,
  }
}

function keyOf(option: Value): Value {
  return isObject(option) ? (option.key ?? null) : null
}

function isChoice(value: Value): value is Choice {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function toNumber(value: Value | undefined, otherwise: number): number {
  const number = typeof value === 'bigint' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise
}

/** Digits after the decimal point of a step such as 0.01. */
function decimals(step: number): number {
  const [, fraction = ''] = step.toFixed(6).replace(/0+$/, '').split('.')
  return fraction.length
}
