import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { useGraph } from '../graph/store'
import { usePercent } from './RunStatus'

/** Keeps the page's title: how far the running job is, and the workflow's name. */
export function usePageTitle(): void {
  const { t } = useTranslation()
  const percent = usePercent()
  const name = useGraph((graph) => graph.name)
  useEffect(() => {
    const title = name === null ? 'Weft' : `${name} – Weft`
    document.title = percent === null ? title : `${t('panel.percent', { percent })} · ${title}`
  }, [t, percent, name])
}
