/** All texts of the editor, a file per area and language: `t('panel.queue.empty')`. */

import canvasEn from './en/canvas.json'
import commandEn from './en/command.json'
import fileEn from './en/file.json'
import nodeEn from './en/node.json'
import widgetEn from './en/widget.json'
import paletteEn from './en/palette.json'
import panelEn from './en/panel.json'
import problemEn from './en/problem.json'
import canvasKo from './ko/canvas.json'
import commandKo from './ko/command.json'
import fileKo from './ko/file.json'
import nodeKo from './ko/node.json'
import widgetKo from './ko/widget.json'
import paletteKo from './ko/palette.json'
import panelKo from './ko/panel.json'
import problemKo from './ko/problem.json'

export const en = {
  canvas: canvasEn,
  command: commandEn,
  file: fileEn,
  node: nodeEn,
  widget: widgetEn,
  palette: paletteEn,
  panel: panelEn,
  problem: problemEn,
}

const ko = {
  canvas: canvasKo,
  command: commandKo,
  file: fileKo,
  node: nodeKo,
  widget: widgetKo,
  palette: paletteKo,
  panel: panelKo,
  problem: problemKo,
} satisfies Record<keyof typeof en, unknown>

export const resources = { en: { translation: en }, ko: { translation: ko } }
