import { parsePreferences, preferencesElement } from '../../extensions/archive/preferences.ts';
import { formElement } from '../../protocol/data-form.ts';
import { delayElement } from '../../protocol/delay.ts';
import { forwardedPayload } from '../../protocol/forwarded.ts';
import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { configForm, defaultNodeConfig, type NodeConfig } from '../../protocol/pubsub-config.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { ExportedMessage } from '../../web/control/export-operations.ts';
import type {
  PortableAccount,
  PortableContact,
  PortableMessage,
  PortableNode,
  PortableScramKeys,
} from '../../web/control/portable-account.ts';
import { type Element, xml } from '../../xml/element.ts';
import { escapeAttribute } from '../../xml/escape.ts';
import { parseElement } from '../../xml/parse-element.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import { serialize } from '../../xml/serialize.ts';
import { faultIn } from '../import/loss-error.ts';
import { extrasElement } from '../portable-extras.ts';

/** The text around something. */
export interface TextFrame {
  readonly begin: string;
  readonly end: string;
}

const declaration = `<?xml version='1.0' encoding='UTF-8'?>\n`;

/** The text around the domains (XEP-0227 §4). */
export const dataFrame: TextFrame = {
  begin: `${declaration}<server-data xmlns="${ns.portableData}">\n`,
  end: '</server-data>\n',
};

/** The text around the accounts of a domain (XEP-0227 §4.1). */
export function hostFrame(domain: string): TextFrame {
  return { begin: `<host jid="${escapeAttribute(domain)}">\n`, end: '</host>\n' };
}

/** The text around the parts of an account (XEP-0227 §4.2). */
export function userFrame({ local }: Jid): TextFrame {
  return { begin: `<user name="${escapeAttribute(local)}">\n`, end: userEnd };
}

/** The end of an account. */
export const userEnd = '</user>\n';

/** The text around the parts of an account that is a document of its own (XEP-0227 §5). */
export function userFileFrame({ local }: Jid): TextFrame {
  const begin = `${declaration}<user xmlns="${ns.portableData}" name="${escapeAttribute(local)}">\n`;
  return { begin, end: userEnd };
}

/** The place of a document that belongs to this one (XEP-0227 §5). */
export function includeElement(path: string): string {
  return `<include xmlns="${ns.xinclude}" href="${escapeAttribute(encodeURI(path))}"/>\n`;
}

/** The text around archived messages (XEP-0227 §4.11). */
export const archiveFrame: TextFrame = { begin: `<archive xmlns="${ns.portableArchive}">\n`, end: '</archive>\n' };

/** All parts of an account except its archive, each as one element. `lose` is called for a message that is damaged. */
export function* accountParts(account: PortableAccount, lose: (what: string) => void): Generator<string> {
  const { scram, contacts = [], privateXml = [], vcard, blocked = [], messages = [], nodes = [] } = account;
  const domain = Jid.from('', Jid.parse(account.jid).domain);
  const offline = messages.flatMap((message) => {
    const element = offlineElement(message, domain, lose);
    return element ? [{ message, element }] : [];
  });
  const extras = extrasElement({ ...account, messages: offline.map(({ message }) => message) });
  for (const [hash, keys] of Object.entries(scram ?? {})) yield line(scramElement(hash, keys));
  const inRoster = contacts.filter((contact) => contact.inRoster || contact.approved);
  if (inRoster.length > 0) yield line(xml('query', { xmlns: ns.roster }, ...inRoster.map(contactElement)));
  for (const { pendingIn } of contacts) if (pendingIn !== undefined) yield line(stanzaIn(pendingIn).element());
  if (privateXml.length > 0)
    yield line(xml('query', { xmlns: ns.privateXml }, ...privateXml.map((fragment) => parseElement(fragment.xml))));
  if (vcard !== undefined) yield line(parseElement(vcard));
  if (blocked.length > 0)
    yield line(xml('blocklist', { xmlns: ns.blocking }, ...blocked.map((jid) => xml('item', { jid }))));
  if (offline.length > 0)
    yield line(xml('offline-messages', { xmlns: ns.portableData }, ...offline.map(({ element }) => element)));
  if (account.archivePreferences !== undefined)
    yield line(preferencesElement(parsePreferences(account.archivePreferences)));
  if (nodes.length > 0) {
    yield line(xml('pubsub', { xmlns: ns.pubsubOwner }, ...nodes.flatMap(nodeElements)));
    yield line(xml('pubsub', { xmlns: ns.pubsub }, ...nodes.map(itemsElement)));
  }
  if (extras) yield line(extras);
}

/** An archived message. Throws if its bytes are damaged. */
export function archivedText({ id, atMs, xml: text }: ExportedMessage): string {
  const wrapper = { name: 'result', ns: ns.archive, attributes: { id } };
  return `${forwardedPayload(wrapper, stanzaIn(text), atMs).bytes}\n`;
}

function line(element: Element): string {
  return `${serialize(element, ns.portableData)}\n`;
}

function stanzaIn(text: string): Stanza {
  return Stanza.fromFrame(parseFrame(text));
}

function scramElement(hash: string, { iterations, salt, serverKey, storedKey }: PortableScramKeys): Element {
  return xml(
    'scram-credentials',
    { xmlns: ns.portableScram, mechanism: `SCRAM-${hash}` },
    xml('iter-count', {}, String(iterations)),
    xml('salt', {}, salt),
    xml('server-key', {}, serverKey),
    xml('stored-key', {}, storedKey),
  );
}

function contactElement({ contact: jid, name, groups, subscription, ask, approved }: PortableContact): Element {
  const attributes = {
    jid,
    name: name === '' ? undefined : name,
    subscription,
    ask: ask ? 'subscribe' : undefined,
    approved: approved ? 'true' : undefined,
  };
  return xml('item', attributes, ...groups.map((group) => xml('group', {}, group)));
}

function offlineElement(
  { receivedAtMs, xml: text }: PortableMessage,
  domain: Jid,
  lose: (what: string) => void,
): Element | undefined {
  try {
    const message = stanzaIn(text);
    const delay = delayElement({ from: domain, stampMs: receivedAtMs });
    return message.with({ payload: message.payload.with(delay) }).element();
  } catch (error) {
    lose(`an offline message: ${faultIn(error)}`);
    return undefined;
  }
}

function nodeElements({ name: node, config, subscribers }: PortableNode): Element[] {
  const { members = [], ...stored }: Partial<NodeConfig> & { readonly members?: readonly string[] } =
    JSON.parse(config);
  const form = formElement(configForm({ ...defaultNodeConfig, ...stored }, 'result'));
  const elements = [xml('configure', { node }, form)];
  const affiliations = members.map((jid) => xml('affiliation', { jid, affiliation: 'member' }));
  if (members.length > 0) elements.push(xml('affiliations', { node }, ...affiliations));
  const subscriptions = subscribers.map((jid) => xml('subscription', { jid, subscription: 'subscribed' }));
  if (subscribers.length > 0) elements.push(xml('subscriptions', { node }, ...subscriptions));
  return elements;
}

function itemsElement({ name: node, items }: PortableNode): Element {
  return xml('items', { node }, ...items.map(({ id, payload }) => xml('item', { id }, parseElement(payload))));
}
