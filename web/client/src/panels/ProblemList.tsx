import { useTranslation } from 'react-i18next'

import { focusNode } from '../canvas/focus'
import { usePacks } from '../catalog/packs'
import { useCatalog } from '../catalog/store'
import { nodeOf } from '../graph/document'
import { useGraph } from '../graph/store'
import { IconCircleCheck } from '../icons'
import { titleOf } from '../nodes/title'
import { describeProblem } from '../run/describe'
import type { NodeId, Problem } from '../run/state'
import { useRun } from '../run/store'
import { Empty } from './Empty'
import { PackFailures } from './PackFailures'

/** What is wrong, node by node; a click shows the node. Below, the packs that did not load. */
export function ProblemList() {
  const { t } = useTranslation()
  const nodes = useRun((run) => run.nodes)
  const hasFailures = usePacks((packs) => packs.failures.length > 0)
  const faulty = Object.entries(nodes).filter(([, { problems }]) => problems.length > 0)
  if (faulty.length === 0 && !hasFailures) {
    return (
      <Empty
        icon={IconCircleCheck}
        title={t('panel.problem.none')}
        hint={t('panel.problem.noneHint')}
      />
    )
  }
  return (
    <>
      {faulty.length > 0 && (
        <ul className="problems">
          {faulty.map(([id, { problems }]) => (
            <NodeEntry key={id} id={id} problems={problems} />
          ))}
        </ul>
      )}
      <PackFailures />
    </>
  )
}

function NodeEntry({ id, problems }: { id: NodeId; problems: readonly Problem[] }) {
  const { t } = useTranslation()
  const title = useNodeTitle(id)
  return (
    <li>
      <button
        type="button"
        className="problem"
        aria-label={t('panel.problem.show', { title })}
        onClick={() => focusNode(id)}
      >
        <strong>{title}</strong>
        {problems.map((problem, index) => (
          <span key={index}>{describeProblem(t, problem)}</span>
        ))}
      </button>
    </li>
  )
}

function useNodeTitle(id: NodeId): string {
  const node = useGraph((graph) => nodeOf(graph.workflow, id))
  const spec = useCatalog((catalog) => (node ? catalog.specs[node.type] : undefined))
  return node ? titleOf(node, spec) : `#${id}`
}
