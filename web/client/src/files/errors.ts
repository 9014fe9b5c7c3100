/** Why a file could not be opened. */

import type { TFunction } from 'i18next'

import { WorkflowError } from '../graph/reading'

export type FileFault =
  'tooLarge' | 'unknownKind' | 'brokenPicture' | 'brokenJson' | 'pictureWithoutWorkflow'

/** `fault` names the reason (i18n `file.fault.*`), `detail` the part that is to blame. */
export class FileError extends Error {
  readonly fault: FileFault
  readonly detail: string

  constructor(fault: FileFault, detail = '') {
    super(`${fault} ${detail}`.trim())
    this.name = 'FileError'
    this.fault = fault
    this.detail = detail
  }
}

/** The reason in plain words. */
export function describeFileError(t: TFunction, error: unknown): string {
  if (error instanceof FileError) return t(`file.fault.${error.fault}`, { detail: error.detail })
  if (error instanceof WorkflowError) {
    return t(`file.workflow.${error.fault}`, { part: error.part })
  }
  return error instanceof Error ? error.message : String(error)
}
