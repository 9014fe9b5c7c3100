import { useEffect, useState } from 'react'

import { getStatus } from '../api/client'

/** The server's version, asked for when it is first wanted; null until it is known. */
export function useVersion(wanted: boolean): string | null {
  const [version, setVersion] = useState<string | null>(null)
  useEffect(() => {
    if (!wanted || version !== null) return
    getStatus().then(
      (status) => setVersion(status.version),
      () => undefined, // The banner tells that the server cannot be reached.
    )
  }, [wanted, version])
  return version
}
