import { textsOf } from '../run/state'
import { useNodeRun } from '../run/store'
import type { NodeId } from '../types'

interface Props {
  readonly id: NodeId
}

/** What the node has to say of its work: a text that it shows, or what it has left out. */
export function NodeTexts({ id }: Props) {
  const texts = textsOf(useNodeRun(id))
  if (texts.length === 0) return null
  return (
    <footer className="node-texts nodrag nopan nowheel" role="note">
      {texts.map((text, index) => (
        <p key={index}>{text}</p>
      ))}
    </footer>
  )
}
