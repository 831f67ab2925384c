import type { ClientSession } from '../../../src/c2s/client-session.ts';
import type { FrameReceiver, NegotiatingStream, StreamFacts } from '../../../src/c2s/negotiation/stream-feature.ts';
import type { Jid } from '../../../src/protocol/jid.ts';
import type { Stanza } from '../../../src/protocol/stanza.ts';
import type { StreamError } from '../../../src/protocol/stream-error.ts';
import type { Device } from '../../../src/routing/session.ts';
import type { ChannelBinding } from '../../../src/tls/channel-binding.ts';
import type { Element } from '../../../src/xml/element.ts';

/** A stream that writes down what features do with it. */
export class StubStream implements NegotiatingStream {
  readonly congested = false;
  readonly host: string = 'a.example';
  readonly secure: boolean = false;
  readonly tlsStart: StreamFacts['tlsStart'] = 'starttls';
  readonly identity: Jid | undefined = undefined;
  readonly channelBindings: readonly ChannelBinding[] = [];
  readonly remoteAddress: string = '192.0.2.1';
  readonly headerFrom: string | undefined = undefined;
  broken = false;
  /** Everything that happened, in order. */
  readonly events: string[] = [];
  attempt: FrameReceiver | undefined;
  device: Device | undefined;

  constructor(facts: Partial<StreamFacts> = {}) {
    Object.assign(this, facts);
  }

  /** What happened since the last call. */
  taken(): string[] {
    return this.events.splice(0);
  }

  send(element: Element): void {
    this.events.push(element.toString());
  }

  sendStanza(stanza: Stanza): void {
    this.events.push(stanza.toString());
  }

  requestAcknowledgment(): void {
    this.events.push('ask');
  }

  async flushed(): Promise<void> {}

  close(error: StreamError): void {
    this.events.push(`close ${error.condition}`);
  }

  refuse(answer: Element): void {
    this.send(answer);
    this.events.push('refused');
  }

  secureNow(): void {
    this.events.push('secure');
  }

  beginAuthentication(attempt: FrameReceiver): void {
    this.attempt = attempt;
    this.events.push('begin');
  }

  identifyDevice(device: Device): void {
    this.device = device;
  }

  authenticationFailed(): void {
    this.events.push('failed');
  }

  restartAs(identity: Jid): void {
    this.events.push(`restart as ${identity}`);
  }

  continueAs(identity: Jid, session?: ClientSession): void {
    this.events.push(`continue as ${session?.jid ?? identity}`);
  }

  resumed(session: ClientSession, takeOver: () => void): void {
    this.events.push(`resumed ${session.jid}`);
    takeOver();
  }

  bound(session: ClientSession): void {
    this.events.push(`bound ${session.jid}`);
  }
}
