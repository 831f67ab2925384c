import { ns } from '../../protocol/namespaces.ts';
import type { Framing } from '../../streams/framing.ts';
import { messageFraming } from '../../streams/message-framing.ts';
import { childElements, type Element, nsOf } from '../../xml/element.ts';

/** The conditions of stream errors that BOSH has, too (XEP-0124 §17.2). */
const sharedConditions = [
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'internal-server-error',
  'policy-violation',
  'system-shutdown',
] as const;

/**
 * The framing of one BOSH session (XEP-0206). What RFC 7395 writes as elements around the stream are attributes of `<body/>` here, so
 * header and end are empty.
 */
export class BoshFraming implements Framing {
  readonly reader = messageFraming.reader;
  readonly check = messageFraming.check;
  readonly writeStanza = messageFraming.writeStanza;
  #condition: string | undefined;

  /** Why the stream ended, in the words of BOSH. Undefined if it ended without an error. */
  get condition(): string | undefined {
    return this.#condition;
  }

  open(): string {
    return '';
  }

  element(element: Element): string {
    if (element.getName() === 'error' && nsOf(element) === ns.stream) {
      const name = childElements(element)[0]?.getName();
      this.#condition = sharedConditions.find((condition) => condition === name) ?? 'remote-stream-error';
    }
    return messageFraming.element(element);
  }

  close(): string {
    return '';
  }
}
