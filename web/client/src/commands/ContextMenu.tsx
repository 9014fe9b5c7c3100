import { Menu } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { type MenuRequest, useView } from '../canvas/view'
import type { CommandId } from './commands'
import { isEnabled, perform } from './perform'
import { shortcutText } from './shortcuts'

/** Commands in the order of the menu; null draws a line. */
const ENTRIES: Record<MenuRequest['target'], readonly (CommandId | null)[]> = {
  canvas: ['palette', null, 'paste', 'selectAll', 'group', null, 'undo', 'redo', null, 'fit'],
  node: [
    'rename',
    'collapse',
    'mute',
    'bypass',
    null,
    'copy',
    'cut',
    'duplicate',
    'group',
    null,
    'delete',
  ],
}

/** The commands for what was pressed with the right button. */
export function ContextMenu() {
  const { t } = useTranslation()
  const menu = useView((view) => view.menu)
  if (!menu) return null
  const close = () => useView.setState({ menu: null })
  return (
    <Menu
      opened
      key={`${menu.at.x} ${menu.at.y}`}
      onClose={close}
      position="bottom-start"
      offset={0}
      width={230}
      transitionProps={{ duration: 80 }}
    >
      <Menu.Target>
        <span style={{ position: 'fixed', left: menu.at.x, top: menu.at.y }} />
      </Menu.Target>
      <Menu.Dropdown>
        {ENTRIES[menu.target].map((id, index) =>
          id === null ? (
            <Menu.Divider key={index} />
          ) : (
            <Menu.Item
              key={id}
              disabled={!isEnabled(id)}
              rightSection={<kbd className="shortcut">{shortcutText(id)}</kbd>}
              onClick={() => perform(id)}
            >
              {t(`command.${id}`)}
            </Menu.Item>
          ),
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
