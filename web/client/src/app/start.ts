/** What happens when the page opens: listen to the server, show a workflow, learn the nodes. */

import { getDefaultWorkflow } from '../api/client'
import { loadCatalog } from '../catalog/store'
import { withFreshId } from '../graph/identity'
import { parseWorkflow } from '../graph/serial'
import { openWorkflow, useGraph } from '../graph/store'
import { idOf } from '../panels'
import { dispatch, dispatchFailure } from '../run/store'
import { startRun } from '../run/start'
import { keepDraft, recallDraft } from './draft'

/** Returns how to stop. */
export function startEditor(): () => void {
  const stopRun = startRun()
  const stopKeeping = keepDraft()
  void loadCatalog()
  void showFirstWorkflow()
  return () => {
    stopRun()
    stopKeeping()
  }
}

/** What was on the canvas when the page was left, else the workflow that everyone begins with. */
async function showFirstWorkflow(): Promise<void> {
  if (useGraph.getState().workflow.nodes.length > 0) return
  const draft = recallDraft()
  try {
    const workflow = draft?.workflow ?? withFreshId(parseWorkflow(await getDefaultWorkflow()))
    openWorkflow(workflow, draft?.name ?? null)
    dispatch({ type: 'workflow_replaced', workflowId: idOf(workflow) })
  } catch (error) {
    dispatchFailure(error)
  }
}
