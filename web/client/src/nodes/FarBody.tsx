import { useShallow } from 'zustand/react/shallow'

import { linkInto } from '../graph/document'
import { useGraph } from '../graph/store'
import type { GraphNode, NodeSpec } from '../types'
import { anatomyOf, expectedSize, inputHeights, socketHeight } from './metrics'
import { InputSocket, OutputSocket } from './Socket'
import { ProgressBar } from './ProgressBar'
import { titleOf } from './title'

interface Props {
  readonly node: GraphNode
  readonly spec: NodeSpec | undefined
  readonly height: number | undefined
}

/** A node seen from afar: a box with its title, as light to draw as can be. */
export function FarBody({ node, spec, height }: Props) {
  const title = useGraph((graph) => titleOf(node, spec, graph.workflow))
  const heights = inputHeights(node, spec)
  const { sockets, widgets, outputs } = anatomyOf(node, spec)
  const wired = useGraph(
    useShallow(({ workflow }) =>
      widgets.filter(({ name }) => linkInto(workflow, node.id, name)).map(({ name }) => name),
    ),
  )
  return (
    <div className="far-body" style={{ height: height ?? expectedSize(node, spec).height }}>
      <ProgressBar id={node.id} />
      <strong>{title}</strong>
      {[...sockets, ...widgets].map((input) => (
        <InputSocket
          key={input.name}
          input={input}
          wired={input.widget === null || wired.includes(input.name)}
          top={heights.get(input.name)}
        />
      ))}
      {outputs.map((output, row) => (
        <OutputSocket key={row} output={output} index={row} wired top={socketHeight(node, row)} />
      ))}
    </div>
  )
}
