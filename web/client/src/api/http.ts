/** Requests to the server the page came from. */

import { stringifyJson } from '../graph/json'

/** A request that did not succeed; `status` is null where no answer came at all. */
export class ApiError extends Error {
  readonly status: number | null

  constructor(status: number | null, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }
}

/** The address of a route below /api, wherever the page itself is served from. */
export function apiUrl(route: string, query: Readonly<Record<string, string>> = {}): string {
  const url = new URL(`api/${route}`, document.baseURI)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url.href
}

/** Send a request; an answer with a status outside `expected` and 2xx is an ApiError. */
export async function request(
  route: string,
  options: RequestInit & { readonly expected?: readonly number[] } = {},
): Promise<Response> {
  const { expected = [], ...init } = options
  const response = await fetch(apiUrl(route), init).catch((reason: unknown) => {
    throw new ApiError(null, reason instanceof Error ? reason.message : String(reason))
  })
  if (!response.ok && !expected.includes(response.status)) {
    throw new ApiError(response.status, (await messageOf(response)) || response.statusText)
  }
  return response
}

/** GET a JSON document. */
export async function getJson(route: string): Promise<unknown> {
  return (await request(route)).json() as Promise<unknown>
}

/** POST a JSON document; 64-bit integers are written exactly. */
export function postJson(
  route: string,
  body: unknown,
  expected: readonly number[] = [],
): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' }
  return request(route, { method: 'POST', headers, body: stringifyJson(body), expected })
}

/** The words of a failed answer: the message of a JSON error, or a short plain text. */
async function messageOf(response: Response): Promise<string> {
  const text = await response.text()
  try {
    const body = JSON.parse(text) as { error?: string | { message?: string } } | null
    const error = body?.error
    return typeof error === 'string' ? error : (error?.message ?? '')
  } catch {
    return text.startsWith('<') ? '' : text.slice(0, 300)
  }
}
