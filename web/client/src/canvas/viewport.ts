/** Moving the view over the canvas. */

import { useView } from './view'

export const FIT = { padding: 0.08, maxZoom: 1, duration: 260 }

/** Show the whole workflow. */
export function fitView(): void {
  void useView.getState().flow?.fitView(FIT)
}

export function zoomBy(factor: number): void {
  const { flow } = useView.getState()
  if (flow) void flow.zoomTo(flow.getZoom() * factor, { duration: 150 })
}
