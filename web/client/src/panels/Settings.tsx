import './settings.css'

import { Modal, SegmentedControl, Select, Switch } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { chosenLanguage, LANGUAGES, type LanguageChoice } from '../i18n/language'
import { chooseLanguage } from '../i18n/setup'
import { enablePreviews, usePreviews } from '../run/settings'
import { useTheme } from '../theme/useTheme'
import { usePanels } from './store'
import { useVersion } from './useVersion'

/** Theme, language and previews; each takes effect at once and is remembered in this browser. */
export function Settings() {
  const { t } = useTranslation()
  const opened = usePanels((panels) => panels.settings)
  const version = useVersion(opened)
  return (
    <Modal
      opened={opened}
      onClose={() => usePanels.setState({ settings: false })}
      title={t('panel.settings')}
      closeButtonProps={{ 'aria-label': t('panel.close') }}
    >
      <ThemeSetting />
      <LanguageSetting />
      <PreviewSetting />
      {version !== null && <p className="about">{t('panel.setting.about', { version })}</p>}
    </Modal>
  )
}

interface RowProps {
  readonly label: string
  readonly hint?: string
  readonly children: ReactNode
}

function Row({ label, hint, children }: RowProps) {
  return (
    <div className="setting">
      <div>
        <span>{label}</span>
        {hint !== undefined && <small>{hint}</small>}
      </div>
      {children}
    </div>
  )
}

function ThemeSetting() {
  const { t } = useTranslation()
  const { choice, choose } = useTheme()
  return (
    <Row label={t('panel.setting.theme')}>
      <SegmentedControl
        size="xs"
        aria-label={t('panel.setting.theme')}
        value={choice}
        onChange={choose}
        data={[
          { value: 'auto', label: t('panel.setting.themeAuto') },
          { value: 'light', label: t('panel.setting.themeLight') },
          { value: 'dark', label: t('panel.setting.themeDark') },
        ]}
      />
    </Row>
  )
}

function LanguageSetting() {
  const { t } = useTranslation()
  const [choice, setChoice] = useState(() => chosenLanguage(localStorage))
  const languages = Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))
  const choose = (value: LanguageChoice) => {
    setChoice(value)
    void chooseLanguage(value)
  }
  return (
    <Row label={t('panel.setting.language')}>
      <Select
        w={190}
        aria-label={t('panel.setting.language')}
        value={choice}
        onChange={(value) => choose(value as LanguageChoice)}
        data={[{ value: 'auto', label: t('panel.setting.languageAuto') }, ...languages]}
      />
    </Row>
  )
}

function PreviewSetting() {
  const { t } = useTranslation()
  const enabled = usePreviews((previews) => previews.enabled)
  return (
    <Row label={t('panel.setting.previews')} hint={t('panel.setting.previewsHint')}>
      <Switch
        aria-label={t('panel.setting.previews')}
        checked={enabled}
        onChange={({ currentTarget }) => enablePreviews(currentTarget.checked)}
      />
    </Row>
  )
}
