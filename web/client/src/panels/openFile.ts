/** Open a file that was chosen, dropped or pasted. */

import { notifications } from '@mantine/notifications'
import i18next from 'i18next'

import { useCatalog } from '../catalog/store'
import { describeFileError } from '../files/errors'
import { readWorkflow, textToWorkflow } from '../files/read'
import type { Specs, Workflow } from '../types'
import { openWithWayBack } from './openWithWayBack'

/** Show the workflow in the file; what stands in the way is told in a toast. */
export function openFile(file: File): Promise<void> {
  const name = file.name.replace(/\.[^.]+$/, '')
  return attempt(file.name, name, (specs) => readWorkflow(file, specs))
}

/** Show the workflow in a pasted text. */
export function openText(text: string): Promise<void> {
  return attempt(i18next.t('file.pasted'), null, (specs) => textToWorkflow(text, specs))
}

async function attempt(
  shownName: string,
  name: string | null,
  read: (specs: Specs) => Workflow | Promise<Workflow>,
): Promise<void> {
  try {
    openWithWayBack(await read(useCatalog.getState().specs), name)
  } catch (error) {
    notifications.show({
      title: i18next.t('file.notOpened', { name: shownName }),
      message: describeFileError(i18next.t, error),
      color: 'red',
      autoClose: 10_000,
    })
  }
}
