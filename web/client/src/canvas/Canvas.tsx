import '@xyflow/react/dist/base.css'
import '../nodes/node.css'
import '../nodes/header.css'
import '../nodes/sockets.css'
import '../nodes/widgetRows.css'
import '../nodes/contents.css'
import '../nodes/far.css'
import '../widgets/widgets.css'
import './canvas.css'

import {
  type AriaLabelConfig,
  Background,
  BackgroundVariant,
  ReactFlow,
  type NodeTypes,
  type Viewport,
} from '@xyflow/react'
import type { TFunction } from 'i18next'
import { type MouseEvent, type PointerEvent, useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { select, useGraph } from '../graph/store'
import { NodeView } from '../nodes/NodeView'
import { onEdgesChange, onNodesChange } from './changes'
import { CanvasNotice } from './CanvasNotice'
import { CanvasTools } from './CanvasTools'
import { DrawnWire } from './DrawnWire'
import { type FlowNode, groupIdOf, type WireFlow } from './flow'
import { GroupView } from './GroupView'
import { Minimap } from './Minimap'
import { useFlowNodes, useWires } from './useFlow'
import { distanceAt, forgetLayout, useView } from './view'
import { fitView } from './viewport'
import { Wire } from './Wire'
import { WireHint } from './WireHint'
import {
  isAllowed,
  onConnect,
  onConnectEnd,
  onConnectStart,
  onReconnect,
  onReconnectEnd,
  onReconnectStart,
} from './wiring'

const NODE_TYPES: NodeTypes = { node: NodeView, frame: GroupView }
const EDGE_TYPES = { wire: Wire }
const SNAP: [number, number] = [10, 10]
const SELECT_KEYS = ['Shift', 'Control', 'Meta']

/** The workflow as nodes and wires that can be moved, wired and edited. */
export function Canvas() {
  const { t } = useTranslation()
  const nodes = useFlowNodes()
  const wires = useWires()
  const distance = useView((view) => view.distance)
  const wiring = useView((view) => view.wiring)
  useFittedView()
  return (
    <div
      className="weft-canvas"
      data-distance={distance}
      data-wiring={wiring ?? undefined}
      tabIndex={-1}
      onPointerDownCapture={takeFocus}
    >
      {wiring !== null && <style>{onlyFitting(wiring)}</style>}
      <ReactFlow<FlowNode, WireFlow>
        aria-label={t('canvas.label')}
        ariaLabelConfig={spokenTexts(t)}
        nodes={nodes}
        edges={wires}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onInit={(flow) => useView.setState({ flow })}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onMove={(_event, viewport) => keepDistance(viewport)}
        isValidConnection={isAllowed}
        onConnect={onConnect}
        onConnectStart={onConnectStart}
        onConnectEnd={onConnectEnd}
        onReconnectStart={onReconnectStart}
        onReconnect={onReconnect}
        onReconnectEnd={onReconnectEnd}
        connectionLineComponent={DrawnWire}
        connectionRadius={24}
        reconnectRadius={12}
        onNodeContextMenu={(event, node) => openMenu(event, node)}
        onPaneContextMenu={(event) => openMenu(event, null)}
        onDoubleClick={openPalette}
        onlyRenderVisibleElements
        snapToGrid
        snapGrid={SNAP}
        minZoom={0.08}
        maxZoom={2.5}
        panOnDrag={[0, 1]}
        selectionKeyCode={SELECT_KEYS}
        multiSelectionKeyCode={SELECT_KEYS}
        panActivationKeyCode={null}
        deleteKeyCode={null}
        zoomOnDoubleClick={false}
        elevateNodesOnSelect
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.6} />
        <Minimap />
        <CanvasTools />
      </ReactFlow>
      <CanvasNotice />
      <WireHint />
    </div>
  )
}

/** Show the whole of a workflow when it is opened, once the canvas is there. */
function useFittedView(): void {
  const opened = useGraph((graph) => graph.opened)
  const isReady = useView((view) => view.flow !== null)
  useEffect(() => {
    return useGraph.subscribe((after, before) => {
      if (after.opened !== before.opened) forgetLayout()
    })
  }, [])
  useEffect(() => {
    if (isReady) fitView(0)
  }, [opened, isReady])
}

/** What screen readers say of the canvas, its nodes and its wires. */
function spokenTexts(t: TFunction): Partial<AriaLabelConfig> {
  return {
    'node.a11yDescription.default': t('canvas.spoken.node'),
    'node.a11yDescription.keyboardDisabled': t('canvas.spoken.node'),
    'node.a11yDescription.ariaLiveMessage': ({ x, y }) => t('canvas.spoken.moved', { x, y }),
    'edge.a11yDescription.default': t('canvas.spoken.wire'),
  }
}

function keepDistance({ zoom }: Viewport): void {
  const distance = distanceAt(zoom)
  if (useView.getState().distance !== distance) useView.setState({ distance })
}

/** A rule that fades the sockets which the wire that is being drawn cannot end at. */
function onlyFitting(type: string): string {
  if (type === '*') return ''
  const fitting = type
    .split(',')
    .concat('*')
    .map((name) => `[data-type~="${CSS.escape(name)}"]`)
  return `.weft-canvas .socket:not(${fitting.join(', ')}) { opacity: 0.18 !important }`
}

/** A press on the empty canvas takes the keyboard's focus, which keys such as Tab look for. */
function takeFocus(event: PointerEvent<HTMLElement>): void {
  const isEmpty = event.target instanceof Element && event.target.matches('.react-flow__pane')
  if (isEmpty) event.currentTarget.focus({ preventScroll: true })
}

function openPalette(event: MouseEvent): void {
  const isEmpty = event.target instanceof Element && event.target.matches('.react-flow__pane')
  if (isEmpty)
    useView.setState({ palette: { at: { x: event.clientX, y: event.clientY }, wire: null } })
}

function openMenu(event: MouseEvent | globalThis.MouseEvent, node: FlowNode | null): void {
  if (event.target instanceof Element && event.target.matches('textarea, input')) return
  event.preventDefault()
  if (node && !node.selected) selectFlow(node)
  const at = { x: event.clientX, y: event.clientY }
  useView.setState({ menu: { at, target: node ? 'node' : 'canvas' } })
}

function selectFlow({ id }: FlowNode): void {
  const group = groupIdOf(id)
  select(group === null ? [id] : [])
  if (group !== null) useGraph.setState({ selectedGroups: new Set([group]) })
}
