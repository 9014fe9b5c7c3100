import { IconPhoto, IconUpload } from '../icons'
import { type DragEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { uploadImage, viewUrl } from '../api/client'
import { offerImage } from '../catalog/store'
import { dispatchFailure } from '../run/store'
import type { Value } from '../types'
import { ChoiceField } from './ChoiceField'

interface Props {
  readonly label: string
  readonly value: Value
  readonly options: readonly string[]
  readonly onChange: (value: string) => void
}

/** A picture of the input folder: chosen, uploaded by the button, or dropped. */
export function ImageField({ label, value, options, onChange }: Props) {
  const { t } = useTranslation()
  const picker = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const upload = async (file: File | undefined) => {
    if (!file) return
    setBusy(true)
    try {
      const name = pathOf(await uploadImage(file))
      offerImage(name)
      onChange(name)
    } catch (error) {
      dispatchFailure(error)
    } finally {
      setBusy(false)
    }
  }
  const onDrop = (event: DragEvent) => {
    const file = imageIn(event.dataTransfer)
    if (!file) return
    event.preventDefault()
    event.stopPropagation()
    void upload(file)
  }
  return (
    <div className="image-field" onDrop={onDrop} onDragOver={(event) => event.preventDefault()}>
      <div className="field-row">
        <ChoiceField
          label={label}
          value={value}
          options={options}
          onChange={(choice) => onChange(String(choice))}
        />
        <button
          type="button"
          className="field-button nodrag"
          aria-label={t('widget.image.upload')}
          title={t('widget.image.upload')}
          aria-busy={busy}
          onClick={() => picker.current?.click()}
        >
          <IconUpload size={14} stroke={1.8} />
        </button>
        <input
          ref={picker}
          type="file"
          accept="image/*"
          hidden
          onChange={(event) => {
            void upload(event.target.files?.[0])
            event.target.value = ''
          }}
        />
      </div>
      <Thumbnail value={value} busy={busy} />
    </div>
  )
}

function Thumbnail({ value, busy }: { value: Value; busy: boolean }) {
  const { t } = useTranslation()
  const [broken, setBroken] = useState<Value>(null)
  if (typeof value !== 'string' || value === '' || value === broken) {
    return (
      <div className="thumbnail empty" aria-busy={busy}>
        <IconPhoto size={20} stroke={1.4} />
        <span>{t('widget.image.drop')}</span>
      </div>
    )
  }
  return (
    <div className="thumbnail" aria-busy={busy}>
      <img src={urlOf(value)} alt={value} draggable={false} onError={() => setBroken(value)} />
    </div>
  )
}

function pathOf({ name, subfolder }: { name: string; subfolder: string }): string {
  return subfolder === '' ? name : `${subfolder}/${name}`
}

/** The address of what an image widget names: a path below the input folder. */
function urlOf(value: string): string {
  const cut = value.lastIndexOf('/')
  const subfolder = cut < 0 ? '' : value.slice(0, cut)
  return viewUrl({ filename: value.slice(cut + 1), subfolder, type: 'input' })
}

function imageIn(data: DataTransfer): File | undefined {
  return [...data.files].find((file) => file.type.startsWith('image/'))
}
