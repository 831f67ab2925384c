import { attribute, type Element, xml } from '../xml/element.ts';
import { formElement } from './data-form.ts';
import { Jid, JidError } from './jid.ts';
import { ns } from './namespaces.ts';
import { pubsubChildren, pubsubElement, readPubsubForm } from './pubsub.ts';
import { StanzaError } from './stanza-error.ts';

/** The node of a push service, as a client names it. */
interface PushTarget {
  readonly service: Jid;
  /** Absent if the client names none. */
  readonly node: string | undefined;
}

/** The publish options of a registration: fields of a form, by name. */
export type PublishOptions = readonly (readonly [name: string, values: readonly string[]])[];

/** What a notification says of the messages that wait (XEP-0357 §7). */
interface PushSummary {
  /** How many messages have come since the device was last connected. */
  readonly messageCount: number;
  readonly lastSender?: Jid | undefined;
  readonly lastBody?: string | undefined;
}

/** Bytes of the name of a node. */
const maxNodeBytes = 1023;
/** Characters of all publish options together. */
const maxOptionsLength = 4096;

/** The service and the node in `<enable/>` or `<disable/>` (XEP-0357 §5, §6). Throws a StanzaError. */
export function readPushTarget(request: Element): PushTarget {
  const service = attribute(request, 'jid');
  if (!service) throw StanzaError.badRequest("a push service needs a 'jid'");
  const node = attribute(request, 'node');
  if (node !== undefined && Buffer.byteLength(node) > maxNodeBytes)
    throw StanzaError.notAcceptable('the node is too long');
  try {
    return { service: Jid.parse(service), node };
  } catch (error) {
    if (error instanceof JidError) throw StanzaError.jidMalformed("'jid' is not a valid JID");
    throw error;
  }
}

/** The publish options in `<enable/>`, without FORM_TYPE (XEP-0357 §5). Throws a StanzaError. */
export function readPushOptions(enable: Element): PublishOptions {
  const fields = [...(readPubsubForm(enable, ns.pubsubPublishOptions) ?? [])].filter(([name]) => name !== 'FORM_TYPE');
  if (JSON.stringify(fields).length > maxOptionsLength)
    throw StanzaError.notAcceptable('the publish options are too long');
  return fields;
}

/** The `<pubsub/>` that publishes a notification (XEP-0357 §7). */
export function notificationElement(node: string, summary: PushSummary, options: PublishOptions): Element {
  const { messageCount, lastSender, lastBody } = summary;
  const field = (name: string, value: string | undefined) =>
    value === undefined ? [] : [{ var: name, values: [value] }];
  const form = formElement({
    type: 'submit',
    formType: ns.pushSummary,
    fields: [
      ...field('message-count', String(messageCount)),
      ...field('last-message-sender', lastSender?.toString()),
      ...field('last-message-body', lastBody),
    ],
  });
  const item = xml('item', {}, xml('notification', { xmlns: ns.push }, form));
  const publish = xml('publish', { node: node || undefined }, item);
  return pubsubElement(publish, ...(options.length === 0 ? [] : [optionsElement(options)]));
}

function optionsElement(options: PublishOptions): Element {
  const fields = options.map(([name, values]) => ({ var: name, values }));
  return xml('publish-options', {}, formElement({ type: 'submit', formType: ns.pubsubPublishOptions, fields }));
}

/** The node that a service takes away from an account, in a message to the account (XEP-0357 §8). */
export function readWithdrawnNode(pubsub: Element, account: Jid): string | undefined {
  const isWithdrawn = pubsubChildren(pubsub, 'affiliation').some(
    (one) => attribute(one, 'affiliation') === 'none' && attribute(one, 'jid') === account.toString(),
  );
  return isWithdrawn ? (attribute(pubsub, 'node') ?? '') : undefined;
}
