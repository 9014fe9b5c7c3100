/** Doing what a command says, from wherever it was given. */

import { type CommandId, commandOf } from './commands'

export function isEnabled(id: CommandId): boolean {
  return commandOf(id).isEnabled?.() ?? true
}

/** Do it, unless there is nothing to do it to. */
export function perform(id: CommandId): void {
  if (isEnabled(id)) void commandOf(id).perform()
}
