import { memo } from 'react'
import { useTranslation } from 'react-i18next'

import { useSpec } from '../catalog/store'
import { withInputValue } from '../graph/actions'
import { linkInto, nodeOf } from '../graph/document'
import { readControl, readValue } from '../graph/slots'
import { edit, useGraph } from '../graph/store'
import { useLastQueued } from '../run/lastQueued'
import { dispatch } from '../run/store'
import type { GraphNode, InputSpec, NodeId, NodeSpec, Value } from '../types'
import { Widget } from '../widgets/Widget'
import { InputSocket } from './Socket'
import { useHasProblem } from './SocketRows'
import { titleOf } from './title'

interface Props {
  readonly node: GraphNode
  readonly spec: NodeSpec
  readonly widgets: readonly InputSpec[]
}

/** The inputs that hold a value of their own, each with a socket that can take a wire instead. */
export const WidgetRows = memo(function WidgetRows({ node, spec, widgets }: Props) {
  if (widgets.length === 0) return null
  return (
    <div className="node-widgets">
      {widgets.map((input) => (
        <WidgetRow key={input.name} node={node} spec={spec} input={input} />
      ))}
    </div>
  )
})

interface RowProps {
  readonly node: GraphNode
  readonly spec: NodeSpec
  readonly input: InputSpec
}

function WidgetRow({ node, spec, input }: RowProps) {
  const source = useGraph((graph) => linkInto(graph.workflow, node.id, input.name)?.source)
  const wrong = useHasProblem(node.id, input.name)
  const last = useLastQueued(node.id, input.name)
  const change = (value: Value, role: 'value' | 'control') => {
    dispatch({ type: 'node_edited', nodeId: node.id })
    edit(
      (workflow) => withInputValue(workflow, spec, node.id, input, value, role),
      `${role} ${node.id} ${input.name}`,
    )
  }
  if (!input.widget) return null
  return (
    <div
      className="widget-row"
      data-kind={kindOf(input)}
      data-wired={source !== undefined || undefined}
      data-wrong={wrong}
      title={input.tooltip || undefined}
    >
      {!spec.virtual && <InputSocket input={input} wired={source !== undefined} />}
      {source === undefined ? (
        <Widget
          input={input}
          widget={input.widget}
          value={readValue(node, spec, input)}
          control={readControl(node, spec, input)}
          last={last}
          onChange={(value) => change(value, 'value')}
          onControl={(control) => change(control, 'control')}
        />
      ) : (
        <WiredField input={input} source={source} />
      )}
    </div>
  )
}

/** What stands in for a widget whose value comes over a wire. */
function WiredField({ input, source }: { input: InputSpec; source: NodeId }) {
  const { t } = useTranslation()
  const node = useGraph((graph) => nodeOf(graph.workflow, source))
  const spec = useSpec(node?.type ?? '')
  return (
    <div className="field wired">
      <span className="field-label">{input.label}</span>
      <span className="field-value">{node && t('node.wired', { title: titleOf(node, spec) })}</span>
    </div>
  )
}

function kindOf({ widget }: InputSpec): string | undefined {
  if (widget?.kind === 'text') return widget.multiline ? 'long-text' : 'text'
  return widget?.kind
}
