/** Queue the workflow as often as is asked for, each time with the seeds that are due. */

import { useCatalog } from '../catalog/store'
import { afterQueueing } from '../graph/seeds'
import { serializeWorkflow } from '../graph/serial'
import { asShown } from '../graph/shown'
import { amend, useGraph } from '../graph/store'
import { rememberQueued } from '../run/lastQueued'
import { useBatch } from '../panels/batch'
import { queueWorkflow } from '../run/queue'

export async function queue({ front }: { readonly front: boolean }): Promise<void> {
  const { count } = useBatch.getState()
  for (let round = 0; round < count; round += 1) {
    const { workflow } = useGraph.getState()
    const { specs } = useCatalog.getState()
    const document = serializeWorkflow(asShown(workflow, specs))
    if (!(await queueWorkflow(document, { front }))) return
    rememberQueued(workflow, specs)
    amend((shown) => afterQueueing(shown, specs, Math.random))
  }
}
