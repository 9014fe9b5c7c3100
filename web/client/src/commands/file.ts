/** New, open and save. */

import { downloadWorkflow, fileName } from '../files/save'
import { EMPTY_WORKFLOW } from '../graph/document'
import { withFreshId } from '../graph/identity'
import { markSaved, useGraph } from '../graph/store'
import { openFile as openChosen } from '../panels/openFile'
import { openWithWayBack } from '../panels/openWithWayBack'

const OPENABLE = '.json,.png,.webp,application/json,image/png,image/webp'

export function newWorkflow(): void {
  openWithWayBack(withFreshId(EMPTY_WORKFLOW), null)
}

/** Let the user choose a file to open. */
export function openFile(): void {
  const picker = document.createElement('input')
  picker.type = 'file'
  picker.accept = OPENABLE
  picker.hidden = true
  picker.addEventListener('change', () => {
    const file = picker.files?.[0]
    picker.remove()
    if (file) void openChosen(file)
  })
  picker.addEventListener('cancel', () => picker.remove())
  // Outside of the page it may be collected as garbage before a file is chosen.
  document.body.append(picker)
  picker.click()
}

export function saveFile(): void {
  const { workflow, name } = useGraph.getState()
  const chosen = fileName(name ?? '')
  downloadWorkflow(workflow, chosen)
  markSaved(chosen)
}
