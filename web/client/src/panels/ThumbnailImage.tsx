import { useState } from 'react'

import { viewUrl } from '../api/client'
import type { ImageRef } from '../api/messages'
import { IconPhotoOff } from '../icons'
import { useRun } from '../run/store'

/** A small copy of a picture; asked for again when a lost connection is back. */
export function ThumbnailImage({ image }: { image: ImageRef }) {
  const connection = useRun((run) => run.connection)
  return <Attempt key={connection} url={viewUrl(image, { thumbnail: true })} />
}

/** One attempt to load it; a file that is gone leaves a sign in its place. */
function Attempt({ url }: { url: string }) {
  const [failed, setFailed] = useState(false)
  if (failed) return <IconPhotoOff className="thumbnail-gone" size={20} stroke={1.5} />
  return <img src={url} alt="" loading="lazy" onError={() => setFailed(true)} />
}
