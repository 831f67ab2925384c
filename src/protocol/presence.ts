import { textOf } from '../xml/element.ts';
import { ns } from './namespaces.ts';
import type { Stanza } from './stanza.ts';
import { StanzaError } from './stanza-error.ts';

/** RFC 6121 §4.7.2.3: an integer from -128 to +127; 0 if the element is absent or, as other servers read it, empty. */
export function priorityOf(presence: Stanza): number {
  const text = contentOf(presence, 'priority').trim();
  if (text === '') return 0;
  const priority = Number(text);
  if (!/^[+-]?\d{1,3}$/.test(text) || priority < -128 || priority > 127) {
    throw StanzaError.badRequest('the priority must be an integer from -128 to +127');
  }
  return priority;
}

/** The text of a child in the content namespace, such as `<status/>` or `<subject/>`; empty if the child is absent. */
export function contentOf({ payload }: Pick<Stanza, 'payload'>, name: string): string {
  const child = payload.find(name, ns.client);
  return child ? textOf(payload.element(child)) : '';
}
