import { useTranslation } from 'react-i18next'

import { describeProblem } from '../run/describe'
import { useNodeRun } from '../run/store'
import type { NodeId } from '../types'

interface Props {
  readonly id: NodeId
  /** The node's type where it is not installed. */
  readonly type: string | null
}

/** What is wrong with the node, at its foot. */
export function NodeProblems({ id, type }: Props) {
  const { t } = useTranslation()
  const { problems } = useNodeRun(id)
  if (problems.length === 0 && type === null) return null
  return (
    <footer className="node-problems nodrag nopan" role="alert">
      {type !== null && <p>{t('node.missing', { type })}</p>}
      {problems.map((problem, index) => (
        <p key={index}>{describeProblem(t, problem)}</p>
      ))}
    </footer>
  )
}
