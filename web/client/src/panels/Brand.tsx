/** The program's mark: two threads, woven. */
export function Brand() {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" fill="none" aria-hidden>
      <path d="M3 7h5.2m5.6 0H19M3 15h10.2" className="brand-weft" />
      <path d="M7 19v-1.2M7 12V3m8 16v-9.2" className="brand-warp" />
    </svg>
  )
}
