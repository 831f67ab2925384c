import { HttpError, type HttpRequest, type HttpRequestHead } from '../../routing/http-route.ts';

/** The bytes that a form may have: the `bodyBytes` of its route. */
export const formBytes = 65_536;

/**
 * Reads the fields of a form that a page of this server has sent. Throws `HttpError`: 403 for one from another site, and 415 for other
 * content.
 */
export async function readForm(request: Pick<HttpRequest, 'headers' | 'body' | 'secure'>): Promise<URLSearchParams> {
  if (!isFromOwnPage(request)) throw new HttpError(403);
  const [type] = (header(request, 'content-type') ?? '').split(';');
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') throw new HttpError(415);
  const chunks: Buffer[] = [];
  for await (const chunk of request.body) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/**
 * Whether a page of this server has made the request. Browsers say so in `Sec-Fetch-Site`; older ones only name the origin of the page,
 * which without TLS anybody on the way can have written.
 */
function isFromOwnPage(request: Pick<HttpRequestHead, 'headers' | 'secure'>): boolean {
  const site = header(request, 'sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = header(request, 'origin');
  if (origin === undefined || !URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  return host === header(request, 'host') && (protocol === 'https:' || !request.secure);
}

/** The value of a header that may occur only once. */
function header({ headers }: Pick<HttpRequestHead, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
