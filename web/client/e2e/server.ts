/** The real server, started for a test with a base directory of its own. */

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const VENV = join(ROOT, '.venv', 'bin', 'python')

export interface Server {
  readonly url: string
  /** Where the server keeps models, input and output. */
  readonly base: string
  readonly stop: () => Promise<void>
}

/** Start `main.py` on a free port; resolves as soon as it has printed its address. */
export async function startServer(): Promise<Server> {
  const base = await mkdtemp(join(tmpdir(), 'weft-e2e-'))
  const python = process.env.PYTHON ?? (existsSync(VENV) ? VENV : 'python3')
  const child = spawn(python, ['main.py', '--cpu', '--port', '0', '--base-directory', base], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = async () => {
    await ended(child)
    await rm(base, { recursive: true, force: true })
  }
  try {
    return { url: await printedAddress(child), base, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function printedAddress(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /http:\/\/\S+/.exec(line)
    if (found) return found[0]
  }
  throw new Error('the server ended without printing its address')
}

/** Ask the process to end, and wait until it has. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const end = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await end
}
