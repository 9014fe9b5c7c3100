import './sidePanel.css'

import { CloseButton, Tabs } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { HistoryList } from './HistoryList'
import { ProblemList } from './ProblemList'
import { QueueList } from './QueueList'
import { usePanels, type SideTab } from './store'

/** The panel at the right: what waits and what was made, or what is wrong. */
export function SidePanel() {
  const { t } = useTranslation()
  const side = usePanels((panels) => panels.side)
  if (side === null) return null
  return (
    <aside className="side-panel" aria-label={t('panel.side')}>
      <Tabs
        className="side-tabs"
        value={side}
        onChange={(tab) => usePanels.setState({ side: tab as SideTab })}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="pictures">{t('panel.pictures')}</Tabs.Tab>
          <Tabs.Tab value="problems">{t('panel.problems')}</Tabs.Tab>
          <CloseButton
            className="side-close"
            size="sm"
            aria-label={t('panel.close')}
            onClick={() => usePanels.setState({ side: null })}
          />
        </Tabs.List>
        <Tabs.Panel value="pictures" className="side-content">
          <QueueList />
          <HistoryList />
        </Tabs.Panel>
        <Tabs.Panel value="problems" className="side-content">
          <ProblemList />
        </Tabs.Panel>
      </Tabs>
    </aside>
  )
}
