import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { errorReply, iqResult } from '../../protocol/stanza-replies.ts';
import { checkStanza } from '../../protocol/stanza-rules.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { type MaybePromise, then } from '../../routing/maybe-promise.ts';
import { textOf, xml } from '../../xml/element.ts';
import type { ClientSession } from '../client-session.ts';
import type { ClientSessions } from '../client-sessions.ts';
import type { NegotiatingStream, StreamFeature } from './stream-feature.ts';

/** Resource binding (RFC 6120 §7). */
export function bind(sessions: ClientSessions): StreamFeature {
  return {
    name: 'bind',
    exclusive: false,
    needs: ({ identity }) => identity !== undefined,
    offer: () => [xml('bind', { xmlns: ns.bind })],
    handles: (frame) => frame.name === 'iq' && frame.payload.has('bind', ns.bind),
    negotiate(stream, frame) {
      const request = Stanza.fromFrame(frame);
      return answered(stream, request, () => bindFor(stream, request, sessions));
    },
  };
}

function bindFor(stream: NegotiatingStream, request: Stanza, sessions: ClientSessions): MaybePromise<ClientSession> {
  const { identity } = stream;
  const [child] = request.payload.elements();
  if (!identity) throw StreamError.notAuthorized('authenticate before binding a resource');
  const fault = checkStanza(request);
  if (fault) throw fault;
  if (request.type !== 'set') throw StanzaError.badRequest();
  const resource = child?.getChild('resource', ns.bind);
  return sessions.bind(identity, resource && textOf(resource), stream);
}

/** RFC 6120 §7.6, §7.7: the result names the full JID; an error leaves the client free to try again. */
function answered(
  stream: NegotiatingStream,
  request: Stanza,
  run: () => MaybePromise<ClientSession>,
): MaybePromise<void> {
  const refuse = (error: unknown): void => {
    if (!(error instanceof StanzaError)) throw error;
    const reply = errorReply(request, error);
    if (reply) stream.sendStanza(reply);
  };
  const accept = (session: ClientSession): void => {
    const jid = xml('jid', { xmlns: ns.bind }, session.jid.toString());
    stream.bound(session);
    stream.sendStanza(iqResult(request, xml('bind', { xmlns: ns.bind }, jid)));
    session.release();
  };
  try {
    const pending = then(run(), accept);
    return pending instanceof Promise ? pending.catch(refuse) : undefined;
  } catch (error) {
    return refuse(error);
  }
}
