import { useTranslation } from 'react-i18next'

/** What a subgraph is, where its inside is not shown. */
export function InsideNote({ count }: { readonly count: number }) {
  const { t } = useTranslation()
  return <p className="node-inside">{t('node.inside', { count })}</p>
}
