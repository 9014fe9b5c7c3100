import { useTranslation } from 'react-i18next'

import { usePacks } from '../catalog/packs'

/** The packs of custom nodes that did not load; each opens to its traceback. */
export function PackFailures() {
  const { t } = useTranslation()
  const failures = usePacks((packs) => packs.failures)
  if (failures.length === 0) return null
  return (
    <section className="side-section" aria-label={t('panel.pack.heading')}>
      <header>
        <h2>{t('panel.pack.heading')}</h2>
      </header>
      <p className="pack-hint">{t('panel.pack.hint')}</p>
      {failures.map(({ name, problem }) => (
        <details key={name} className="pack-failure">
          <summary>{name}</summary>
          {/* Long ones scroll, also by keyboard. */}
          <pre tabIndex={0}>{problem}</pre>
        </details>
      ))}
    </section>
  )
}
