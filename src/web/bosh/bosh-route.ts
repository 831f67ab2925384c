import { StreamError } from '../../protocol/stream-error.ts';
import {
  type HttpAnswer,
  HttpError,
  type HttpRequest,
  type HttpRequestHead,
  type HttpRoute,
} from '../../routing/http-route.ts';
import type { IncomingConnection } from '../../streams/acceptor.ts';
import { messageFraming } from '../../streams/message-framing.ts';
import type { Clock } from '../../support/clock.ts';
import type { XmlLimits } from '../../xml/xml-limits.ts';
import { type BoshAnswer, type BoshRequest, readRequest, sessionOf } from './bosh-body.ts';
import { BoshConnection, type BoshLimits, endOf } from './bosh-connection.ts';
import { BoshFraming } from './bosh-framing.ts';
import { longestWaitMs, termsOf, usualContentType } from './bosh-terms.ts';

/** Dependencies of the route. */
export interface BoshRouteDeps {
  /** The sessions by their ids. Another route for the same path can take them over. */
  readonly sessions: Map<string, BoshConnection>;
  /** The origins whose pages may connect; `*` is every origin. */
  readonly origins: readonly string[];
  readonly limits: BoshLimits;
  /** The limits of a request of a client that has authenticated. */
  readonly xml: XmlLimits;
  /** Bytes of a request of any other client. */
  readonly strangerBytes: number;
  /** Whether nobody on the way can read or change what the request brings. */
  readonly isSecure: (request: HttpRequestHead) => boolean;
  readonly clock: Clock;
  /** Takes a session, or refuses it. */
  readonly arrived: (arrival: IncomingConnection) => void;
}

/** Time beyond the longest wait for which the HTTP connection of a waiting request may be silent. */
const graceMs = 30_000;

/** The streams of clients through BOSH (XEP-0124, XEP-0206). */
export function boshRoute(path: string, deps: BoshRouteDeps): HttpRoute {
  const { sessions } = deps;
  return {
    methods: ['POST'],
    path,
    bodyBytes: deps.xml.maxBytes,
    origins: deps.origins,
    silenceMs: longestWaitMs + graceMs,
    quiet: true,
    async handle(request) {
      if (!isWelcome(request, deps.origins)) throw new HttpError(403);
      const body = readRequest(await readBody(request, deps), deps.xml);
      if (!body) return httpAnswer(endOf('bad-request'));
      const session = body.sid === undefined ? create(body, request, deps) : sessions.get(body.sid);
      if (!session) return httpAnswer(body.sid === undefined ? refusal() : endOf('item-not-found'));
      // Without an effect on the session, which anybody could end otherwise who has seen its id (XEP-0124 §19.1).
      if (session.secure && !deps.isSecure(request)) throw new HttpError(403);
      return exchange(session, body, request);
    },
  };
}

function isWelcome({ headers: { origin } }: HttpRequest, origins: readonly string[]): boolean {
  return origin === undefined || origins.includes('*') || origins.includes(String(origin));
}

/** Reads the body of a request. Only a client that has authenticated may send a large one. */
async function readBody({ body }: HttpRequest, { sessions, strangerBytes, xml }: BoshRouteDeps): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let isTrusted = false;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (isTrusted || length <= strangerBytes) continue;
    isTrusted = sessions.get(sessionOf(Buffer.concat(chunks), xml) ?? '')?.trusted === true;
    if (!isTrusted) throw new HttpError(413);
  }
  return Buffer.concat(chunks);
}

/** Makes the session that a request asks for. Undefined if the server has no room for it. */
function create(
  body: BoshRequest,
  request: HttpRequest,
  { sessions, limits, isSecure, clock, arrived }: BoshRouteDeps,
): BoshConnection | undefined {
  let session = undefined as BoshConnection | undefined;
  const { remoteAddress } = request;
  const secure = isSecure(request);
  const framing = new BoshFraming();
  const terms = termsOf(body);
  const closed = (sid: string) => sessions.delete(sid);
  arrived({
    remoteAddress,
    framing,
    admit(user) {
      const deps = { remoteAddress, secure, terms, firstRid: body.rid, framing, limits, clock, closed };
      session = new BoshConnection(user, deps);
      sessions.set(session.sid, session);
      return session;
    },
    refuse: () => undefined,
  });
  return session;
}

/** Gives a request to its session. Resolves with the answer, which may take as long as the client allows. */
function exchange(session: BoshConnection, body: BoshRequest, { whenLost }: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    let lost = false;
    const forget = whenLost(() => {
      lost = true;
      session.exchangeLost();
    });
    session.take(body, {
      get lost() {
        return lost;
      },
      answer(answer) {
        forget();
        resolve(httpAnswer(answer, session.contentType));
      },
    });
  });
}

function refusal(): BoshAnswer {
  const error = messageFraming.element(StreamError.resourceConstraint().element());
  return endOf('remote-stream-error', false, [Buffer.from(error)]);
}

function httpAnswer({ status, body }: BoshAnswer, type = usualContentType): HttpAnswer {
  return { status, headers: { 'content-type': type }, body };
}
