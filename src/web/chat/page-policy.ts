/** What a page for chat needs. */
interface PageNeeds {
  /** The addresses of the HTTP listener for people outside: uploaded files have them. */
  readonly origins: readonly string[];
  /** Whether it is converse.js, which puts styles into its markup, and encrypts with WebAssembly. */
  readonly isConverse?: boolean;
}

/** The content security policy of a page for chat. `'self'` does not cover WebSockets in every browser. */
export function pagePolicy({ origins, isConverse = false }: PageNeeds): string {
  const webSockets = origins.map((origin) => origin.replace(/^http/, 'ws'));
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...(isConverse ? ["'wasm-unsafe-eval'"] : [])],
    'style-src': ["'self'", ...(isConverse ? ["'unsafe-inline'"] : [])],
    'font-src': ["'self'"],
    'img-src': ["'self'", 'blob:', 'data:', ...origins],
    'media-src': ["'self'", 'blob:', ...origins],
    'connect-src': ["'self'", 'ws://localhost:*', 'ws://127.0.0.1:*', ...webSockets, ...origins],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
    'base-uri': ["'none'"],
  };
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...sources].join(' '))
    .join('; ');
}
