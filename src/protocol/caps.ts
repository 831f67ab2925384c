import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { attribute, type Element, xml } from '../xml/element.ts';
import type { Payload } from '../xml/payload.ts';
import type { DataForm } from './data-form.ts';
import type { Capabilities, Identity } from './disco.ts';
import { ns } from './namespaces.ts';

/** Compares by bytes, "i;octet", which for text beyond the BMP differs from JavaScript's order. */
function byOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function byIdentity(a: Identity, b: Identity): number {
  return byOctets(a.category, b.category) || byOctets(a.type, b.type) || byOctets(a.lang ?? '', b.lang ?? '');
}

function identityText({ category, type, lang = '', name = '' }: Identity): string {
  return `${category}/${type}/${lang}/${name}<`;
}

function formText(form: DataForm): string {
  const fields = form.fields.toSorted((a, b) => byOctets(a.var ?? '', b.var ?? ''));
  const texts = fields.map(({ var: name = '', values = [] }) => [name, ...values.toSorted(byOctets)].join('<'));
  return [form.formType, ...texts].map((text) => `${text}<`).join('');
}

/** The text that is hashed, XEP-0115 §5.1. Forms without FORM_TYPE are left out. */
export function verificationText(capabilities: Capabilities): string {
  const features = Array.from(new Set(capabilities.features)).sort(byOctets);
  const forms = (capabilities.forms ?? []).filter((form) => form.formType !== undefined);
  return [
    ...capabilities.identities.toSorted(byIdentity).map(identityText),
    ...features.map((feature) => `${feature}<`),
    ...forms.toSorted((a, b) => byOctets(a.formType ?? '', b.formType ?? '')).map(formText),
  ].join('');
}

/** The verification string, XEP-0115 §5.1, with the hash function every implementation supports. */
export function verificationString(capabilities: Capabilities): string {
  return createHash('sha1').update(verificationText(capabilities)).digest('base64');
}

/** The `<c/>` of a presence or of the stream features, XEP-0115 §6.1 and §6.3. */
export function capsElement(node: string, verification: string): Element {
  return xml('c', { xmlns: ns.caps, hash: 'sha-1', node, ver: verification });
}

/** The `<c/>` of somebody's presence (XEP-0115 §4). */
export interface Caps {
  /** The hash function, as XEP-0300 names it; absent in the form of 2007 and before, which nobody can verify. */
  readonly hash: string | undefined;
  readonly node: string;
  readonly ver: string;
}

/** The capabilities that a presence names; nothing if it names none. */
export function readCaps(payload: Payload): Caps | undefined {
  const child = payload.find('c', ns.caps);
  if (!child) return undefined;
  const element = payload.element(child);
  const [hash, node, ver] = ['hash', 'node', 'ver'].map((name) => attribute(element, name));
  return node && ver ? { hash, node, ver } : undefined;
}

/** Whether both name the same capabilities, or both none. */
export function isSameCaps(a: Caps | undefined, b: Caps | undefined): boolean {
  return a?.ver === b?.ver && a?.hash === b?.hash;
}

const hashFunctions: ReadonlyMap<string, string> = new Map([
  ['sha-1', 'sha1'],
  ['sha-224', 'sha224'],
  ['sha-256', 'sha256'],
  ['sha-384', 'sha384'],
  ['sha-512', 'sha512'],
]);

/**
 * What a hash proves about an answer to disco#info: every text that it covers, features among them; nothing if it is not the hash of
 * the answer (XEP-0115 §5.4). The hash does not cover which texts are features and which are parts of identities or forms. So
 * another answer with the same hash proves the same texts, and cannot hide a feature.
 */
export function provenTexts({ hash, ver }: Caps, capabilities: Capabilities): ReadonlySet<string> | undefined {
  const algorithm = hashFunctions.get(hash ?? '');
  if (algorithm === undefined) return undefined;
  const text = verificationText(capabilities);
  if (createHash(algorithm).update(text).digest('base64') !== ver) return undefined;
  return new Set(text.split('<'));
}
