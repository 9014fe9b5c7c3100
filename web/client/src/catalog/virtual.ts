/** Node types that exist in the editor only: files hold them, the server never sees them. */

import type { InputSpec, NodeSpec, Specs } from '../types'

const NOTE_TEXT: InputSpec = {
  name: 'text',
  type: 'STRING',
  label: 'text',
  optional: false,
  tooltip: '',
  widget: { kind: 'text', multiline: true, default: '', placeholder: '' },
}

function virtual(type: string, title: string, spec: Partial<NodeSpec>): NodeSpec {
  return {
    type,
    title,
    category: 'utils',
    description: '',
    aliases: [],
    output: false,
    deprecated: false,
    experimental: false,
    virtual: true,
    inputs: [],
    outputs: [],
    ...spec,
  }
}

export const VIRTUAL: Specs = {
  Note: virtual('Note', 'Note', { inputs: [NOTE_TEXT], aliases: ['comment'] }),
  MarkdownNote: virtual('MarkdownNote', 'Markdown Note', { inputs: [NOTE_TEXT] }),
  PrimitiveNode: virtual('PrimitiveNode', 'Primitive', {
    outputs: [{ name: 'value', type: '*', tooltip: '' }],
  }),
  Reroute: virtual('Reroute', 'Reroute', {
    inputs: [{ ...NOTE_TEXT, name: '', label: '', type: '*', widget: null }],
    outputs: [{ name: '', type: '*', tooltip: '' }],
  }),
}
