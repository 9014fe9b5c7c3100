import { memo } from 'react'
import { useShallow } from 'zustand/react/shallow'

import { linkInto, linksFrom } from '../graph/document'
import { useGraph } from '../graph/store'
import { useRun } from '../run/store'
import type { GraphNode, InputSpec, NodeId, OutputSpec } from '../types'
import type { Anatomy } from './metrics'
import { InputSocket, OutputSocket } from './Socket'

interface Props {
  readonly node: GraphNode
  readonly anatomy: Anatomy
}

/** The inputs that take a wire only, beside the outputs. */
export const SocketRows = memo(function SocketRows({ node, anatomy }: Props) {
  const { sockets, outputs } = anatomy
  const wired = useGraph(
    useShallow((graph) => linksFrom(graph.workflow, node.id).map((link) => link.output)),
  )
  if (sockets.length === 0 && outputs.length === 0) return null
  return (
    <div className="node-sockets">
      <div>
        {sockets.map((input) => (
          <InputRow key={input.name} node={node.id} input={input} />
        ))}
      </div>
      <div>
        {outputs.map((output, index) => (
          <OutputRow key={index} output={output} index={index} wired={wired.includes(index)} />
        ))}
      </div>
    </div>
  )
})

function InputRow({ node, input }: { node: NodeId; input: InputSpec }) {
  const wired = useGraph((graph) => linkInto(graph.workflow, node, input.name) !== undefined)
  const wrong = useHasProblem(node, input.name)
  return (
    <div className="socket-row" data-optional={input.optional || undefined} data-wrong={wrong}>
      <InputSocket input={input} wired={wired} />
      <span>{input.label}</span>
    </div>
  )
}

interface OutputProps {
  readonly output: OutputSpec
  readonly index: number
  readonly wired: boolean
}

function OutputRow({ output, index, wired }: OutputProps) {
  return (
    <div className="socket-row output">
      <span>{output.name}</span>
      <OutputSocket output={output} index={index} wired={wired} />
    </div>
  )
}

/** True, or undefined so that the attribute is left out. */
export function useHasProblem(node: NodeId, input: string): true | undefined {
  const isWrong = useRun((run) => run.nodes[node]?.problems.some((one) => one.input === input))
  return isWrong === true ? true : undefined
}
