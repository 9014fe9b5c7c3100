import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

interface Props {
  readonly name: string | null
  readonly onBack: () => void
}

/** Tells that another workflow is shown, and leads back to the one before. */
export function WayBack({ name, onBack }: Props) {
  const { t } = useTranslation()
  return (
    <div className="toast-with-action">
      <span>{t('file.opened', { name: name ?? t('panel.unnamed') })}</span>
      <Button variant="light" size="compact-xs" onClick={onBack}>
        {t('file.back')}
      </Button>
    </div>
  )
}
