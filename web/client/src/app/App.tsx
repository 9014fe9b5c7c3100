import './app.css'

import { ReactFlowProvider } from '@xyflow/react'
import { useEffect } from 'react'

import { Canvas } from '../canvas/Canvas'
import { ContextMenu } from '../commands/ContextMenu'
import { useShortcuts } from '../commands/useShortcuts'
import { Palette } from '../palette/Palette'
import {
  Banner,
  DropZone,
  Settings,
  SidePanel,
  Toasts,
  TopBar,
  usePageTitle,
  Viewer,
} from '../panels'
import { startEditor } from './start'

/** The editor's shell: the bar, the canvas, and the panels around it. */
export function App() {
  useEffect(startEditor, [])
  useShortcuts()
  usePageTitle()
  return (
    <ReactFlowProvider>
      <div className="app">
        <TopBar />
        <Banner />
        <main className="app-body">
          <Canvas />
          <SidePanel />
        </main>
      </div>
      <Palette />
      <ContextMenu />
      <Viewer />
      <Settings />
      <Toasts />
      <DropZone />
    </ReactFlowProvider>
  )
}
