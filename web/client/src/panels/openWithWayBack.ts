/** Show another workflow without losing the one before. */

import { notifications } from '@mantine/notifications'
import { createElement } from 'react'

import type { HistoryEntry } from '../api/types'
import { isChanged, openWorkflow, useGraph } from '../graph/store'
import { dispatch } from '../run/store'
import type { Workflow } from '../types'
import { WayBack } from './WayBack'

/** Open a document; if the one before was not saved, a toast offers it for a while. */
export function openWithWayBack(
  workflow: Workflow,
  name: string | null,
  outputs: HistoryEntry['outputs'] = {},
): void {
  const before = useGraph.getState()
  openWorkflow(workflow, name)
  dispatch({ type: 'workflow_replaced', workflowId: idOf(workflow), outputs })
  if (!isChanged(before)) return
  const id = notifications.show({
    message: createElement(WayBack, {
      name,
      onBack: () => {
        useGraph.setState(before, true)
        dispatch({ type: 'workflow_replaced', workflowId: idOf(before.workflow) })
        notifications.hide(id)
      },
    }),
    autoClose: 20_000,
  })
}

/** The id by which jobs know the document they were queued from. */
export function idOf({ rest }: Workflow): string | null {
  return typeof rest.id === 'string' ? rest.id : null
}
