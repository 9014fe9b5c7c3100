/** Numbers as people type them: digits, a comma for the point, or a sum such as 1024*2. */

/** The value of an expression of numbers, + - * / and brackets; null where it is none. */
export function evaluate(text: string): number | null {
  const tokens = text.replaceAll(',', '.').match(/\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|[-+*/()]|\S/gi)
  if (!tokens) return null
  const reader = new Reader(tokens)
  const value = reader.sum()
  return reader.isAtEnd() && Number.isFinite(value) ? value : null
}

/** A plain integer with all its digits, or null where the text is something else. */
export function exactInteger(text: string): bigint | null {
  return /^\s*-?\d+\s*$/.test(text) ? BigInt(text.trim()) : null
}

/** Reads tokens by recursive descent; NaN stands for what is no expression. */
class Reader {
  private readonly tokens: readonly string[]
  private next = 0

  constructor(tokens: readonly string[]) {
    this.tokens = tokens
  }

  isAtEnd(): boolean {
    return this.next === this.tokens.length
  }

  sum(): number {
    let value = this.product()
    for (let sign = this.take('+', '-'); sign; sign = this.take('+', '-')) {
      const term = this.product()
      value = sign === '+' ? value + term : value - term
    }
    return value
  }

  private product(): number {
    let value = this.factor()
    for (let sign = this.take('*', '/'); sign; sign = this.take('*', '/')) {
      const factor = this.factor()
      value = sign === '*' ? value * factor : value / factor
    }
    return value
  }

  private factor(): number {
    if (this.take('-')) return -this.factor()
    if (this.take('+')) return this.factor()
    if (this.take('(')) {
      const value = this.sum()
      return this.take(')') ? value : NaN
    }
    const token = this.tokens[this.next]
    this.next += 1
    return token !== undefined && /^[\d.]/.test(token) ? Number(token) : NaN
  }

  private take(...wanted: string[]): string | null {
    const token = this.tokens[this.next]
    if (token === undefined || !wanted.includes(token)) return null
    this.next += 1
    return token
  }
}
