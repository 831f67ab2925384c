import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { notificationElement, type PublishOptions } from '../../protocol/push.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { PushRegistration } from '../../storage/push.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { TokenBucket } from '../../support/token-bucket.ts';
import { type Element, textOf } from '../../xml/element.ts';

/** What all devices share. */
export interface PushDeviceDeps {
  /** What notifications say of the last message, apart from the number of messages. */
  readonly content: { readonly sender: boolean; readonly body: boolean };
  /** Publishes at a service. Resolves with the answer, or with nothing if it does not come in time. */
  readonly publish: (owner: Jid, service: Jid, payload: Element) => Promise<Stanza | undefined>;
  /** Whether the device is still registered and not connected. */
  readonly isWaiting: (device: PushDevice) => boolean;
  /** Its service does not want any more notifications. */
  readonly disable: (device: PushDevice, reason: string) => void;
  readonly clock: Pick<Clock, 'after'>;
}

/** Failures in a row after which a device gets no more notifications. */
const maxFailures = 16;
/** Failures in a row after which a notification is not repeated. The next message begins a new one. */
const maxRepeats = 16;
const firstPauseMs = 30_000;
const longestPauseMs = 3_600_000;
/** Characters of the body of a message in a notification. */
const maxBodyLength = 1000;

/**
 * A device that a push service wakes (XEP-0357). Publishes one notification at a time: while the service has not answered, or a pause
 * lasts, new messages are counted, and the next notification tells of all of them.
 */
export class PushDevice {
  readonly registration: PushRegistration;
  readonly service: Jid;
  readonly owner: Jid;
  /** Bounds the notifications of the account. */
  readonly allowance: TokenBucket;
  readonly #options: PublishOptions;
  readonly #deps: PushDeviceDeps;
  /** Messages since it was last connected. */
  #messages = 0;
  /** The last message that no notification has told of. */
  #untold: Stanza | undefined;
  #publishing = false;
  #pause: Timer | undefined;
  /** Notifications in a row that did not arrive. */
  #repeats = 0;
  /** Those of them that the service has answered with an error that may last. */
  #failures = 0;

  constructor(owner: Jid, registration: PushRegistration, allowance: TokenBucket, deps: PushDeviceDeps) {
    this.registration = registration;
    this.service = Jid.parse(registration.service);
    this.owner = owner;
    this.allowance = allowance;
    this.#options = JSON.parse(registration.options) as PublishOptions;
    this.#deps = deps;
  }

  /** A message waits for the device. One that was routed before, `again`, needs a notification only if no other was sent. */
  notify(message: Stanza, again = false): void {
    if (again && this.#messages > 0) return;
    this.#messages += 1;
    this.#untold = message;
    this.#go();
  }

  /** The device is connected, or was until now: nothing waits for it. */
  connected(): void {
    this.#messages = 0;
    this.#untold = undefined;
  }

  #go(): void {
    if (!this.#untold || this.#publishing || this.#pause) return;
    const waitMs = this.allowance.takeInDebt(1);
    if (waitMs === 0) void this.#publish();
    else this.#pauseFor(waitMs, () => void this.#publish());
  }

  async #publish(): Promise<void> {
    const message = this.#untold;
    if (!message) return;
    if (!this.#deps.isWaiting(this)) return this.connected();
    this.#untold = undefined;
    this.#publishing = true;
    const answer = await this.#deps.publish(this.owner, this.service, this.#notification(message));
    this.#publishing = false;
    this.#answered(answer, message);
  }

  #notification(message: Stanza): Element {
    const { sender, body } = this.#deps.content;
    const summary = {
      messageCount: this.#messages,
      lastSender: sender ? message.from : undefined,
      lastBody: body ? bodyOf(message) : undefined,
    };
    return notificationElement(this.registration.node, summary, this.#options);
  }

  /** XEP-0357 §7.1. A service that is away or busy keeps its registrations. */
  #answered(answer: Stanza | undefined, message: Stanza): void {
    if (answer?.type === 'result') {
      this.#repeats = 0;
      this.#failures = 0;
      return this.#go();
    }
    const error = answer && errorIn(answer);
    if (error && isFinal(error)) return this.#deps.disable(this, error.condition);
    if (error && error.type !== 'wait') this.#failures += 1;
    if (error && this.#failures >= maxFailures) return this.#deps.disable(this, error.condition);
    this.#repeats += 1;
    if (this.#messages > 0 && this.#repeats < maxRepeats) this.#untold ??= message;
    this.#pauseFor(Math.min(firstPauseMs * 2 ** (this.#repeats - 1), longestPauseMs), () => this.#go());
  }

  #pauseFor(ms: number, then: () => void): void {
    this.#pause = this.#deps.clock.after(ms, () => {
      this.#pause = undefined;
      then();
    });
  }
}

/** The service does not know the node, or does not accept notifications of this server for it. */
function isFinal({ condition }: StanzaError): boolean {
  return condition === 'item-not-found' || condition === 'not-authorized';
}

function errorIn({ payload }: Stanza): StanzaError {
  const child = payload.find('error', ns.client);
  return child ? StanzaError.fromElement(payload.element(child)) : StanzaError.undefinedCondition();
}

function bodyOf({ payload }: Stanza): string | undefined {
  const child = payload.find('body', ns.client);
  return child && [...textOf(payload.element(child))].slice(0, maxBodyLength).join('');
}
