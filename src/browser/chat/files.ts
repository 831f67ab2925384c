import { ns } from '../../protocol/namespaces.ts';
import { childOf, textOf, type XmlElement } from './element.ts';
import type { SharedFile } from './state.ts';

/** The file that a message shares: its text is the address of the file, and it says so (XEP-0066). */
export function fileOf(message: XmlElement, text: string, origins: readonly string[]): SharedFile | undefined {
  const url = textOf(childOf(childOf(message, 'x', ns.outOfBand), 'url', ns.outOfBand)).trim();
  if (url === '' || url !== text.trim() || !/^https?:/i.test(url) || !URL.canParse(url)) return undefined;
  return sharedFile(url, origins);
}

/** What the page shows of a file. It loads pictures only from this server, since another one would learn who reads when and where. */
export function sharedFile(url: string, origins: readonly string[]): SharedFile {
  const { origin, pathname } = new URL(url);
  const name = decoded(pathname.split('/').at(-1) ?? '') || url;
  return { url, name, picture: origins.includes(origin) && /\.(?:avif|gif|jpe?g|png|webp)$/i.test(pathname) };
}

/** Where the page came from. */
interface PageAddress {
  readonly origin: string;
  readonly hostname: string;
}

/**
 * The address under which the page reaches a file of its server. On this machine the page uses the listener that it came from, because
 * browsers do not trust the certificate that the server has made for the other one.
 */
export function reachable(url: string, origins: readonly string[], page: PageAddress): string {
  const { origin, pathname } = new URL(url);
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(page.hostname);
  return isLoopback && origins.includes(origin) ? page.origin + pathname : url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
