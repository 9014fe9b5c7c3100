import { ActionIcon, Indicator, Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { usePacks } from '../catalog/packs'
import {
  IconAlertTriangle,
  IconMoon,
  IconPhoto,
  IconSettings,
  IconSun,
  type TablerIcon,
} from '../icons'
import { useRun } from '../run/store'
import { useTheme } from '../theme/useTheme'
import { toggleSide, usePanels } from './store'

/** The side panel's tabs, the theme and the settings. */
export function PanelButtons() {
  const { t } = useTranslation()
  const { drawn, toggle } = useTheme()
  const side = usePanels((panels) => panels.side)
  const packProblems = usePacks((packs) => packs.failures.length)
  const nodeProblems = useRun((run) => {
    return Object.values(run.nodes).reduce((sum, node) => sum + node.problems.length, 0)
  })
  const problems = nodeProblems + packProblems
  return (
    <nav className="panel-buttons">
      <BarButton
        icon={IconPhoto}
        label={t('panel.pictures')}
        pressed={side === 'pictures'}
        onClick={() => toggleSide('pictures')}
      />
      <Indicator label={problems} size={15} offset={5} color="red" disabled={problems === 0}>
        <BarButton
          icon={IconAlertTriangle}
          label={
            problems === 0 ? t('panel.problems') : t('panel.problemCount', { count: problems })
          }
          pressed={side === 'problems'}
          onClick={() => toggleSide('problems')}
        />
      </Indicator>
      <BarButton
        icon={drawn === 'dark' ? IconSun : IconMoon}
        label={t(drawn === 'dark' ? 'panel.toLight' : 'panel.toDark')}
        onClick={toggle}
      />
      <BarButton
        icon={IconSettings}
        label={t('panel.settings')}
        onClick={() => usePanels.setState({ settings: true })}
      />
    </nav>
  )
}

interface BarButtonProps {
  readonly icon: TablerIcon
  readonly label: string
  /** Of a button that opens and closes something: whether that is open. */
  readonly pressed?: boolean
  readonly onClick: () => void
}

function BarButton({ icon: Icon, label, pressed, onClick }: BarButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} aria-pressed={pressed} onClick={onClick}>
        <Icon size={18} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  )
}
