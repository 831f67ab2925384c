import { type Element, xml } from '../xml/element.ts';
import { type Delay, delayElement } from './delay.ts';
import { ns } from './namespaces.ts';
import type { Stanza } from './stanza.ts';

/** The `<forwarded/>` that carries a stanza, and since when it has been held, XEP-0297 §3. */
export function forwardedElement(stanza: Stanza, delay?: Delay): Element {
  return xml(
    'forwarded',
    { xmlns: ns.forwarded },
    delay === undefined ? undefined : delayElement(delay),
    stanza.element(),
  );
}
