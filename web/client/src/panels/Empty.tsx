import type { TablerIcon } from '../icons'

interface Props {
  readonly icon: TablerIcon
  readonly title: string
  readonly hint: string
}

/** What a list says that has nothing to show. */
export function Empty({ icon: Icon, title, hint }: Props) {
  return (
    <div className="empty">
      <Icon size={28} stroke={1.3} />
      <strong>{title}</strong>
      <p>{hint}</p>
    </div>
  )
}
