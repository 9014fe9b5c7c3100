/** Finding by a few letters: they must occur in order, best at the beginnings of words. */

/** Where a query was found: a higher score is better. */
export interface Match {
  readonly score: number
  /** Places of the query's letters in the text. */
  readonly places: readonly number[]
}

/** How well a query fits a text; null where letters are missing. */
export function match(query: string, text: string): Match | null {
  const letters = query.toLowerCase().replace(/\s+/g, '')
  if (letters === '') return { score: 0, places: [] }
  return whole(query.trim().toLowerCase(), text) ?? scattered(letters, text)
}

/** The query as it stands, somewhere in the text. */
function whole(query: string, text: string): Match | null {
  const at = text.toLowerCase().indexOf(query)
  if (at < 0) return null
  const places = Array.from({ length: query.length }, (_, index) => at + index)
  const start = at === 0 ? 60 : isWordStart(text, at) ? 40 : 20
  return { score: 100 + start - at / 20 - text.length / 100, places }
}

/** The letters of the query in order, word beginnings first. */
function scattered(letters: string, text: string): Match | null {
  const lower = text.toLowerCase()
  const places: number[] = []
  let score = 0
  let from = 0
  for (const letter of letters) {
    const at = nextPlace(letter, text, lower, from)
    if (at < 0) return null
    const follows = at === from && places.length > 0
    score += follows ? 6 : isWordStart(text, at) ? 8 : 1
    places.push(at)
    from = at + 1
  }
  const areInitials = places.every((at) => isWordStart(text, at))
  return { score: score + (areInitials ? 100 : 0) - text.length / 100, places }
}

/** The letter right here, else at the next beginning of a word, else anywhere behind. */
function nextPlace(letter: string, text: string, lower: string, from: number): number {
  if (lower[from] === letter) return from
  for (let at = lower.indexOf(letter, from); at >= 0; at = lower.indexOf(letter, at + 1)) {
    if (isWordStart(text, at)) return at
  }
  return lower.indexOf(letter, from)
}

function isWordStart(text: string, at: number): boolean {
  const before = text[at - 1]
  const here = text[at] ?? ''
  if (before === undefined || /[\s_\-./()]/.test(before)) return true
  return /[a-z]/.test(before) && /[A-Z]/.test(here)
}

/** The best match of a query over a name and the other words for the same thing. */
export function bestMatch(query: string, name: string, words: readonly string[]): Match | null {
  const own = match(query, name)
  const others = words.flatMap((word) => {
    const found = match(query, word)
    return found ? [found.score - 15] : []
  })
  const best = Math.max(own?.score ?? -Infinity, ...others)
  if (best === -Infinity) return null
  return { score: best, places: own && own.score >= best ? own.places : [] }
}
