import { IconPhoto } from '../icons'
import { useTranslation } from 'react-i18next'

import { viewUrl } from '../api/client'
import { viewPictures } from '../panels/store'
import { imagesOf } from '../run/state'
import { useNodeRun } from '../run/store'
import type { NodeId } from '../types'

interface Props {
  readonly id: NodeId
  /** The node was made tall enough for a picture: its place is shown before there is one. */
  readonly hasRoom: boolean
}

/** What the node makes: the picture in the making while it runs, else its pictures. */
export function Picture({ id, hasRoom }: Props) {
  const { t } = useTranslation()
  const run = useNodeRun(id)
  const images = imagesOf(run)
  const live = run.status === 'running' || images.length === 0 ? run.preview : null
  if (live === null && images.length === 0) {
    if (!hasRoom) return null
    return (
      <div className="node-picture empty" aria-hidden>
        <IconPhoto size={26} stroke={1.2} />
      </div>
    )
  }
  const pictures = images.map((image) => ({ image, jobId: null }))
  const columns = Math.ceil(Math.sqrt(live === null ? images.length : 1))
  return (
    <div className="node-picture" style={{ gridTemplateColumns: `repeat(${columns}, 1fr)` }}>
      {live !== null ? (
        <div>
          <img src={live} alt={t('node.preview')} draggable={false} />
        </div>
      ) : (
        images.map((image, index) => (
          <button
            key={viewUrl(image)}
            type="button"
            className="nodrag"
            onClick={() => viewPictures(pictures, index)}
          >
            <img
              src={viewUrl(image)}
              alt={t('node.picture', { index: index + 1, count: images.length })}
              draggable={false}
            />
          </button>
        ))
      )}
    </div>
  )
}
