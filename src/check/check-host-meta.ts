import { uploadUrl } from '../config/extension-options.ts';
import { reachable } from '../config/listener-kinds.ts';
import type { Config } from '../config/schema.ts';
import { publicUrl } from '../config/stream-options.ts';
import { ns } from '../protocol/namespaces.ts';
import { asciiDomain } from '../tls/certificate-files.ts';
import { type HostMetaLink, hostMetaFiles } from '../web/host-meta.ts';
import { isName } from './check-dns.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('web');
const timeLimitMs = 10_000;

/** The requests that a browser would make. */
export interface Browser {
  readonly fetch: (url: string, options?: RequestInit) => Promise<Response>;
  /** Resolves when a WebSocket for XMPP is open, and closes it. */
  readonly connect: (url: string) => Promise<void>;
}

/**
 * Looks for each domain as a client in a browser does (XEP-0156), and asks to upload, if other machines can connect. For host-meta, only the
 * standard port counts.
 */
export async function checkHostMeta(config: Config, browser: Browser = usualBrowser): Promise<Finding[]> {
  if (!reachable(config)) return [];
  const url = publicUrl(config);
  if (url === undefined) return [nowhere()];
  const found = config.domains.filter(isName).map((domain) => checkDomain(asciiDomain(domain), url, browser));
  return (await Promise.all([...found, checkUploads(config, browser)])).flat();
}

/** Makes the request that a browser makes before an upload: a proxy may not pass it on. */
async function checkUploads(config: Config, { fetch }: Browser): Promise<Finding[]> {
  const url = uploadUrl(config);
  if (url === undefined || !config.domains.some(isName)) return [];
  try {
    await preflight(`${url}/upload/token/name`, 'PUT', fetch);
    return [];
  } catch (error) {
    const message = `Clients upload files to ${url}, which does not answer as it should: ${reason(error)}.`;
    return [finding('warning', message)];
  }
}

function nowhere(): Finding {
  return finding(
    'warning',
    'Clients in browsers cannot connect: let them reach listen.https, or name the address of a proxy in web.publicUrl (docs/web.md).',
  );
}

async function checkDomain(domain: string, publicAddress: string, browser: Browser): Promise<Finding[]> {
  const [xmlFile, jsonFile] = hostMetaFiles(publicAddress);
  const [fromXml, fromJson] = await Promise.all([
    readLinks(`https://${domain}${xmlFile.path}`, linksInXml, browser),
    readLinks(`https://${domain}${jsonFile.path}`, linksInJson, browser),
  ]);
  if (typeof fromXml === 'string') return [finding('warning', `${fromXml} ${adviceFor(domain)}`)];
  const problems = [
    ...(typeof fromJson === 'string' ? [fromJson] : []),
    ...missing(fromXml, domain),
    ...(await silent(fromXml, browser)),
  ];
  if (problems.length > 0) return problems.map((problem) => finding('warning', problem));
  const places = fromXml.map(({ href }) => href).join(' and ');
  return [finding('ok', `Clients in browsers find ${domain} at ${places}.`)];
}

function adviceFor(domain: string): string {
  return (
    'Clients in browsers look nowhere else: give listen.https port 443, let a proxy pass the path on, or put the files that ' +
    `"ampere web host-meta" prints on the web server of ${domain} (docs/web.md).`
  );
}

/** The links of a file, or what is wrong with it. */
async function readLinks(
  url: string,
  parse: (text: string) => readonly HostMetaLink[],
  { fetch }: Browser,
): Promise<readonly HostMetaLink[] | string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeLimitMs) });
    const text = await response.text();
    if (!response.ok) return `${url} is answered with ${response.status}.`;
    const links = parse(text);
    const isShared = response.headers.get('access-control-allow-origin') === '*';
    return isShared ? links : `${url} lacks the header "Access-Control-Allow-Origin: *", so pages cannot read it.`;
  } catch (error) {
    return `${url} cannot be read: ${reason(error)}.`;
  }
}

/** Browsers may not use an address without TLS from a page with TLS. */
function missing(links: readonly HostMetaLink[], domain: string): string[] {
  const protocol = (rel: string) => links.find((link) => link.rel === rel)?.href.split(':')[0];
  return [
    ...(protocol(ns.webSocketConnection) === 'wss'
      ? []
      : [`The host-meta of ${domain} names no WebSocket with TLS (wss:).`]),
    ...(protocol(ns.boshConnection) === 'https' ? [] : [`The host-meta of ${domain} names no BOSH with TLS (https:).`]),
  ];
}

/** Says which of the addresses do not answer. */
async function silent(links: readonly HostMetaLink[], { fetch, connect }: Browser): Promise<string[]> {
  const tried = links.map(async ({ rel, href }) => {
    try {
      if (rel === ns.webSocketConnection) await connect(href);
      if (rel === ns.boshConnection) await preflight(href, 'POST', fetch);
      return [];
    } catch (error) {
      return [`Clients in browsers are sent to ${href}, which does not answer as it should: ${reason(error)}.`];
    }
  });
  return (await Promise.all(tried)).flat();
}

async function preflight(url: string, method: string, fetch: Browser['fetch']): Promise<void> {
  const headers = { origin: 'https://client.example', 'access-control-request-method': method };
  const response = await fetch(url, { method: 'OPTIONS', headers, signal: AbortSignal.timeout(timeLimitMs) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  if (response.headers.get('access-control-allow-origin') === null) throw new Error('pages may not read its answers');
}

/** Browsers take any order of attributes; so does this. */
function linksInXml(text: string): HostMetaLink[] {
  const attributeOf = (tag: string, name: string) =>
    new RegExp(`\\s${name}\\s*=\\s*(["'])(.*?)\\1`).exec(tag)?.[2] ?? '';
  const tags = text.match(/<(?:\w+:)?Link\s[^>]*>/g) ?? [];
  return tags.map((tag) => ({ rel: attributeOf(tag, 'rel'), href: attributeOf(tag, 'href') }));
}

function linksInJson(text: string): HostMetaLink[] {
  const { links }: { readonly links?: readonly Partial<HostMetaLink>[] } = JSON.parse(text);
  if (!Array.isArray(links)) throw new Error('it has no list of links');
  return links.map(({ rel = '', href = '' }) => ({ rel, href }));
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? reason(cause) : error.message;
}

const usualBrowser: Browser = {
  fetch: (url, options) => fetch(url, options),
  connect: (url) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, ['xmpp']);
      const late = setTimeout(() => socket.close(), timeLimitMs);
      socket.onopen = () => {
        resolve();
        socket.close();
      };
      socket.onerror = () => reject(new Error('no WebSocket can be opened'));
      socket.onclose = () => {
        clearTimeout(late);
        reject(new Error('no WebSocket can be opened in time'));
      };
    }),
};
