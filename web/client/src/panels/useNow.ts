import { useEffect, useState } from 'react'

const MINUTE_MS = 60_000

/** The time in milliseconds since 1970, fresh each minute and whenever `trigger` changes. */
export function useNow(trigger: unknown): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const tick = () => setNow(Date.now())
    const first = setTimeout(tick)
    const timer = setInterval(tick, MINUTE_MS)
    return () => {
      clearTimeout(first)
      clearInterval(timer)
    }
  }, [trigger])
  return now
}
