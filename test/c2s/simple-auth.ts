import type { ClientSessions } from '../../src/c2s/client-sessions.ts';
import type { NegotiatingStream, StreamFeature } from '../../src/c2s/negotiation/stream-feature.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { StreamError } from '../../src/protocol/stream-error.ts';
import { type MaybePromise, then } from '../../src/routing/maybe-promise.ts';
import { xml } from '../../src/xml/element.ts';
import type { Frame } from '../../src/xml/frame.ts';

const namespace = 'urn:simple-auth';

/** What a test's client can tell the authentication to do. */
export type Word = 'more' | 'fail' | 'restart' | 'continue' | 'bind' | 'break';

/** An element for {@link SimpleAuth}: `later` makes the answer wait for the test. */
export function auth(word: Word, later = false): string {
  return `<auth xmlns='${namespace}' word='${word}'${later ? " later='1'" : ''}/>`;
}

/** Authentication without secrets: the client says how it ends, and the test says when. */
export class SimpleAuth {
  readonly #sessions: ClientSessions;
  #waiting: (() => void)[] = [];
  readonly identity = Jid.parse('juliet@a.example');

  constructor(sessions: ClientSessions) {
    this.#sessions = sessions;
  }

  /** Lets everything go on that was to wait. */
  goOn(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  get feature(): StreamFeature {
    return {
      name: 'simple-auth',
      exclusive: false,
      needs: ({ identity }) => !identity,
      offer: () => [xml('auth', { xmlns: namespace })],
      handles: (frame) => frame.ns === namespace,
      negotiate: (stream, frame, offered) => {
        if (!offered) throw StreamError.notAuthorized();
        stream.beginAuthentication({ receive: (next) => this.#take(stream, next) });
        return this.#take(stream, frame);
      },
    };
  }

  #take(stream: NegotiatingStream, frame: Frame): MaybePromise<void> {
    const wait = frame.attribute('later') ? new Promise<void>((resolve) => this.#waiting.push(resolve)) : undefined;
    return then(wait, () => this.#do(stream, frame.attribute('word')));
  }

  #do(stream: NegotiatingStream, word: string | undefined): MaybePromise<void> {
    const { identity } = this;
    switch (word) {
      case 'more':
        return stream.send(xml('more', { xmlns: namespace }));
      case 'fail':
        stream.send(xml('failure', { xmlns: namespace }));
        return stream.authenticationFailed();
      case 'restart':
        stream.send(xml('success', { xmlns: namespace }));
        return stream.restartAs(identity);
      case 'continue':
        stream.send(xml('success', { xmlns: namespace }));
        return stream.continueAs(identity);
      case 'bind':
        return then(this.#sessions.bind(identity, 'inline', stream), (session) => {
          stream.send(xml('success', { xmlns: namespace }));
          stream.continueAs(identity, session);
        });
      default:
        throw StreamError.notAuthorized();
    }
  }
}
