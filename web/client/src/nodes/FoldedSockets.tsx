import type { Anatomy } from './metrics'
import { InputSocket, OutputSocket } from './Socket'

/** The sockets of a folded node: all wires end in the title bar. */
export function FoldedSockets({ anatomy }: { anatomy: Anatomy }) {
  const { sockets, widgets, outputs } = anatomy
  return (
    <div className="folded-sockets">
      {[...sockets, ...widgets].map((input) => (
        <InputSocket key={input.name} input={input} wired />
      ))}
      {outputs.map((output, index) => (
        <OutputSocket key={index} output={output} index={index} wired />
      ))}
    </div>
  )
}
