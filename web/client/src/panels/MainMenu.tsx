import { Menu, UnstyledButton } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { perform } from '../commands/perform'
import { shortcutText } from '../commands/shortcuts'
import {
  IconChevronDown,
  IconDeviceFloppy,
  IconFilePlus,
  IconFolderOpen,
  IconSettings,
} from '../icons'
import { Brand } from './Brand'
import { usePanels } from './store'

const ITEMS = [
  ['new', IconFilePlus],
  ['open', IconFolderOpen],
  ['save', IconDeviceFloppy],
] as const

/** What concerns the workflow as a file, behind the program's mark. */
export function MainMenu() {
  const { t } = useTranslation()
  return (
    <Menu position="bottom-start" width={230}>
      <Menu.Target>
        <UnstyledButton className="main-menu" aria-label={t('panel.menu')}>
          <Brand />
          <IconChevronDown size={13} stroke={2} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {ITEMS.map(([id, Icon]) => (
          <Menu.Item
            key={id}
            leftSection={<Icon size={16} stroke={1.6} />}
            rightSection={<kbd className="shortcut">{shortcutText(id)}</kbd>}
            onClick={() => perform(id)}
          >
            {t(`command.${id}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconSettings size={16} stroke={1.6} />}
          onClick={() => usePanels.setState({ settings: true })}
        >
          {t('panel.settings')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
