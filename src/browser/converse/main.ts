/** What converse.js puts into the page. */
interface Converse {
  readonly initialize: (settings: Readonly<Record<string, unknown>>) => Promise<void>;
}

declare global {
  var converse: Converse | undefined;
}

/** Not a literal, because the compiler would look for the file. */
const library: string = '/converse/converse.min.js';
const { domain = location.hostname } = document.querySelector<HTMLElement>('#app')?.dataset ?? {};

// An ES module: as a plain script it fails at `import.meta`.
await import(library);
await globalThis.converse?.initialize({
  assets_path: '/converse/',
  auto_away: 300,
  default_domain: domain,
  discover_connection_methods: false,
  // After a reload it would resume its session, and then write with the address of another one, which ends the stream.
  enable_smacks: false,
  loglevel: 'error',
  view_mode: 'fullscreen',
  websocket_url: `${location.origin.replace(/^http/, 'ws')}/xmpp-websocket`,
});

export {};
