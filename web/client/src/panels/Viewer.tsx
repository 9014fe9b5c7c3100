import './viewer.css'

import { ActionIcon, Button, CloseButton, Modal } from '@mantine/core'
import { useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'

import { viewUrl } from '../api/client'
import { IconChevronLeft, IconChevronRight, IconDownload, IconFolderOpen } from '../icons'
import { openJob } from './openJob'
import { turn, usePanels, type ViewedPicture } from './store'

/** Pictures over the whole page, to be turned with the arrow keys. */
export function Viewer() {
  const { t } = useTranslation()
  const viewing = usePanels((panels) => panels.viewing)
  const picture = viewing?.pictures[viewing.index]
  const turnByKey = ({ key }: KeyboardEvent) => {
    if (key === 'ArrowLeft') turn(-1)
    if (key === 'ArrowRight') turn(1)
  }
  return (
    <Modal.Root opened={picture !== undefined} onClose={close} fullScreen>
      <Modal.Content aria-label={t('panel.viewer.label')}>
        {viewing && picture && (
          <div className="viewer" onKeyDown={turnByKey}>
            <ViewerBar picture={picture} index={viewing.index} count={viewing.pictures.length} />
            <Stage key={viewUrl(picture.image)} picture={picture} />
            {viewing.pictures.length > 1 && <TurnButtons />}
          </div>
        )}
      </Modal.Content>
    </Modal.Root>
  )
}

function close(): void {
  usePanels.setState({ viewing: null })
}

interface BarProps {
  readonly picture: ViewedPicture
  readonly index: number
  readonly count: number
}

function ViewerBar({ picture: { image, jobId }, index, count }: BarProps) {
  const { t } = useTranslation()
  return (
    <header className="viewer-bar">
      <strong>{image.filename}</strong>
      {count > 1 && <span>{t('panel.viewer.position', { index: index + 1, count })}</span>}
      <div className="viewer-actions">
        {jobId !== null && (
          <Button
            variant="subtle"
            color="gray"
            leftSection={<IconFolderOpen size={15} stroke={1.6} />}
            onClick={() => {
              close()
              void openJob(jobId)
            }}
          >
            {t('panel.viewer.open')}
          </Button>
        )}
        <Button
          component="a"
          href={viewUrl(image)}
          download={image.filename}
          variant="subtle"
          color="gray"
          leftSection={<IconDownload size={15} stroke={1.6} />}
        >
          {t('panel.viewer.download')}
        </Button>
        <CloseButton data-autofocus aria-label={t('panel.close')} onClick={close} />
      </div>
    </header>
  )
}

/** The picture itself; a file that was deleted since says so. */
function Stage({ picture: { image } }: { picture: ViewedPicture }) {
  const { t } = useTranslation()
  const [size, setSize] = useState<{ width: number; height: number } | null>(null)
  const [gone, setGone] = useState(false)
  return (
    <figure className="viewer-stage">
      {gone ? (
        <p>{t('panel.viewer.gone')}</p>
      ) : (
        <img
          src={viewUrl(image)}
          alt={image.filename}
          onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) =>
            setSize({ width, height })
          }
          onError={() => setGone(true)}
        />
      )}
      <figcaption>{size && t('panel.viewer.size', size)}</figcaption>
    </figure>
  )
}

function TurnButtons() {
  const { t } = useTranslation()
  return (
    <>
      <ActionIcon
        className="viewer-turn previous"
        size={40}
        radius={99}
        aria-label={t('panel.viewer.previous')}
        onClick={() => turn(-1)}
      >
        <IconChevronLeft size={22} stroke={1.6} />
      </ActionIcon>
      <ActionIcon
        className="viewer-turn next"
        size={40}
        radius={99}
        aria-label={t('panel.viewer.next')}
        onClick={() => turn(1)}
      >
        <IconChevronRight size={22} stroke={1.6} />
      </ActionIcon>
    </>
  )
}
