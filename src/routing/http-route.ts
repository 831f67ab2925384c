import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { MaybePromise } from './maybe-promise.ts';

/** A method that a route can have. The listener answers HEAD with the route's GET, and OPTIONS itself. */
export type HttpMethod = 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT';

/** A path of the public HTTP listener and the answer to requests for it. */
export interface HttpRoute {
  readonly methods: readonly HttpMethod[];
  /** Literal segments and parameters, as in `/files/:token`. A parameter matches one segment that is not empty. */
  readonly path: string;
  /** Bytes that the body of a request may have; without it, requests have no body. */
  readonly bodyBytes?: number;
  /** A body may take longer than the listener allows if it comes at this rate. */
  readonly leastBytesPerSecond?: number;
  /** The origins whose web pages may read the answers (CORS); `*` is every origin. */
  readonly origins?: readonly string[];
  /** Milliseconds for which the connection may be silent until `handle` answers, instead of the limit of the listener. */
  readonly silenceMs?: number;
  /** Answers for every host: programs that watch the server may call it what they like. */
  readonly anyHost?: true;
  /** Logs requests at debug level only. */
  readonly quiet?: true;
  /** Throws `HttpError` for an answer without content. */
  readonly handle: (request: HttpRequest) => MaybePromise<HttpAnswer>;
  /**
   * Takes the connection over when a GET asks for an upgrade (RFC 9110 §7.8), and writes the answer itself. The listener does not count
   * the connection any more. `message` is the request as `node:http` has read it, for libraries that answer it.
   */
  readonly upgrade?: (request: HttpRequestHead, socket: Duplex, firstBytes: Buffer, message: IncomingMessage) => void;
}

/** A request without its body, as a route sees it. */
export interface HttpRequestHead {
  readonly method: HttpMethod | 'HEAD';
  /** The segments that the parameters of the path stand for, exactly as the client sent them. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress: string;
  /** Whether TLS protects the connection. */
  readonly secure: boolean;
  /** Calls `run` if the connection is lost. Returns a function that takes the wish back. */
  readonly whenLost: (run: () => void) => () => void;
}

/** A request as a route sees it. */
export interface HttpRequest extends HttpRequestHead {
  /** Throws `HttpError` with 413 after as many bytes as the route allows, and with 408 if the body comes too slowly. */
  readonly body: AsyncIterable<Buffer>;
}

/** The answer to a request. A header here replaces the security header of the same name that the listener adds. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A body that comes in chunks may use the memory of one again when it is asked for the next. It must end when the client is lost. */
  readonly body?: string | Buffer | AsyncIterable<string | Buffer>;
}

/** A request that ends with a status and no content. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP status ${status}`);
    this.name = 'HttpError';
    this.status = status;
  }
}

/** Whether the client has the version of the content with this entity tag (RFC 9110 §13.1.2). */
export function isUnchanged({ headers }: Pick<HttpRequestHead, 'headers'>, etag: string): boolean {
  const tags = [headers['if-none-match'] ?? []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
