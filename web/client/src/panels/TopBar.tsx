import './topBar.css'

import { useTranslation } from 'react-i18next'

import { MainMenu } from './MainMenu'
import { PanelButtons } from './PanelButtons'
import { ProgressLine } from './ProgressLine'
import { RunControls } from './RunControls'
import { RunStatus } from './RunStatus'
import { WorkflowName } from './WorkflowName'

/** The bar above the canvas: the workflow at the left, how it runs at the right. */
export function TopBar() {
  const { t } = useTranslation()
  return (
    <header className="top-bar" aria-label={t('panel.bar')}>
      <div className="top-bar-side">
        <MainMenu />
        <WorkflowName />
      </div>
      <div className="top-bar-side">
        <RunStatus />
        <RunControls />
        <PanelButtons />
      </div>
      <ProgressLine />
    </header>
  )
}
