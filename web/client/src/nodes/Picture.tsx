import { IconPhoto } from '../icons'
import { useTranslation } from 'react-i18next'

import { viewUrl } from '../api/client'
import { viewPictures } from '../panels/store'
import { imagesOf } from '../run/state'
import { useNodeRun } from '../run/store'
import type { NodeId } from '../types'

interface Props {
  readonly id: NodeId
  /** The node was made tall enough for a picture, so that its place is shown before there is one. */
  readonly hasRoom: boolean
}

/** What the node makes: the picture in the making while it runs, else its pictures. */
export function Picture({ id, hasRoom }: Props) {
  const { t } = useTranslation()
  const run = useNodeRun(id)
  const images = imagesOf(run)
  const live = run.preview !== null && (run.status === 'running' || images.length === 0)
  if (!live && images.length === 0) {
    if (!hasRoom) return null
    return (
      <div className="node-picture empty" aria-hidden>
        <IconPhoto size={26} stroke={1.2} />
      </div>
    )
  }
  const pictures = images.map((image) => ({ image, jobId: null }))
  const columns = Math.ceil(Math.sqrt(live ? 1 : images.length))
  return (
    <div className="node-picture" style={{ gridTemplateColumns: `repeat(${columns}, 1fr)` }}>
      {live && run.preview !== null ? (
        <div>
          <img src={run.preview} alt={t('node.preview')} draggable={false} />
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
