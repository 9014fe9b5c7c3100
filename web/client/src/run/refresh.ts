/** Repeats of the same request that overlap: one in flight, at most one more behind it. */

/** A function that runs `load` now, or once more after the run that is under way. */
export function coalesced(load: () => Promise<void>): () => void {
  let running = false
  let again = false
  const run = () => {
    if (running) {
      again = true
      return
    }
    running = true
    void load().finally(() => {
      running = false
      if (!again) return
      again = false
      run()
    })
  }
  return run
}
