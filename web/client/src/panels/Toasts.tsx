import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { TFunction } from 'i18next'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { focusNode } from '../canvas/focus'
import { useCatalog } from '../catalog/store'
import { nodeOf } from '../graph/document'
import { useGraph } from '../graph/store'
import { titleOf } from '../nodes/title'
import { describeProblem, describeRefusal } from '../run/describe'
import { problemsOf, type NodeId, type Problem, type Refusal, type RunState } from '../run/state'
import { dispatch, useRun } from '../run/store'
import { usePanels } from './store'

/** Tells of refusals, and of nodes that fail while they run, as they happen. */
export function Toasts() {
  const { t } = useTranslation()
  useEffect(
    () =>
      useRun.subscribe((state, before) => {
        for (const problem of newFailures(state, before)) showFailure(t, problem)
        if (state.refusal === null || state.refusal === before.refusal) return
        showRefusal(t, state.refusal, problemsOf(state).length > 0)
        dispatch({ type: 'refusal_read' })
      }),
    [t],
  )
  return null
}

/** Nodes that have just failed while running. */
function newFailures(state: RunState, before: RunState): Problem[] {
  if (state.nodes === before.nodes) return []
  return Object.entries(state.nodes).flatMap(([id, { problems }]) =>
    problems === before.nodes[id]?.problems
      ? []
      : problems.filter(({ kind }) => kind === 'execution'),
  )
}

function showRefusal(t: TFunction, refusal: Refusal, hasProblems: boolean): void {
  const titles = {
    execution: t('panel.toast.jobFailed'),
    failed_request: t('panel.toast.request'),
    accepted_in_part: t('panel.toast.inPart'),
  } as const
  const { kind } = refusal
  const title = kind in titles ? titles[kind as keyof typeof titles] : t('panel.toast.refused')
  const show = () => usePanels.setState({ side: 'problems' })
  toast(t, title, describeRefusal(t, refusal), hasProblems ? show : null)
}

function showFailure(t: TFunction, problem: Problem): void {
  const title = t('panel.toast.failed', { title: nodeTitle(problem.nodeId) })
  toast(t, title, describeProblem(t, problem), () => focusNode(problem.nodeId))
}

function toast(t: TFunction, title: string, text: string, onShow: (() => void) | null): void {
  const id = notifications.show({
    title,
    color: 'red',
    message: (
      <div className="toast-with-action">
        <span>{text}</span>
        {onShow && (
          <Button
            variant="light"
            size="compact-xs"
            onClick={() => {
              onShow()
              notifications.hide(id)
            }}
          >
            {t('panel.toast.show')}
          </Button>
        )}
      </div>
    ),
    autoClose: 10_000,
  })
}

function nodeTitle(id: NodeId): string {
  const node = nodeOf(useGraph.getState().workflow, id)
  return node ? titleOf(node, useCatalog.getState().specs[node.type]) : `#${id}`
}
