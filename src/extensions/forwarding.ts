import { type DataForm, formElement, ReceivedForm } from '../protocol/data-form.ts';
import type { Jid } from '../protocol/jid.ts';
import { jidOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from '../routing/account.ts';
import type { Extension, IqRequest } from '../routing/extension.ts';
import type { AccountStore } from '../storage/accounts.ts';
import { attribute, childElements, type Element, nsOf, xml } from '../xml/element.ts';

const node = 'forward-messages';
const name = 'Forward my messages';

/** What the operator decides about forwards; a slice of the configuration. */
export interface ForwardingOptions {
  readonly userCommand: boolean;
}

/** Lets users have their messages forwarded to another address, by an ad-hoc command (XEP-0050). */
export function forwarding(store: Pick<AccountStore, 'setForward'>, { userCommand }: ForwardingOptions): Extension {
  const identities = [{ category: 'automation', type: 'command-node', name }];
  const claim = {
    spec: 'XEP-0050',
    title: 'Ad-Hoc Commands',
    version: '1.3.0',
    status: 'partial',
    note: 'one command, for users: forwarding of messages',
  } as const;
  if (!userCommand) return { name: 'forwarding', claims: [claim] };
  return {
    name: 'forwarding',
    claims: [claim],
    disco: {
      domain: [ns.commands],
      commands: [{ node, name }],
      domainNodes: new Map([[node, { identities, features: [ns.commands, ns.dataForm] }]]),
    },
    iq: [
      {
        name: 'command',
        ns: ns.commands,
        type: 'set',
        scopes: ['server'],
        handle: (request) => command(request, store),
      },
    ],
  };
}

/** Asks for the address, or takes it: there is nothing to remember in between (XEP-0050 §3.2). */
async function command(request: IqRequest, store: Pick<AccountStore, 'setForward'>): Promise<Element> {
  const { payload, session } = request;
  if (attribute(payload, 'node') !== node) throw StanzaError.itemNotFound('there is no such command');
  if (!session) throw StanzaError.forbidden('the command is for users of this server');
  const sessionId = attribute(payload, 'sessionid') ?? randomId();
  const action = attribute(payload, 'action') ?? 'execute';
  if (action === 'cancel') return answer('canceled', sessionId);
  if (action === 'prev' || action === 'next') throw malformed('bad-action');
  const submitted = childElements(payload).find((child) => child.getName() === 'x' && nsOf(child) === ns.dataForm);
  if (!submitted) return answer('executing', sessionId, stage(), formElement(question(session.account)));
  await setForward(session.account, readTarget(submitted, session.account), store);
  const { forwardTo } = session.account;
  const said = forwardTo ? `Messages are forwarded to ${forwardTo}.` : 'Messages are not forwarded.';
  return answer('completed', sessionId, xml('note', { type: 'info' }, said));
}

function stage(): Element {
  return xml('actions', { execute: 'complete' }, xml('complete'));
}

function answer(status: string, sessionid: string, ...children: Element[]): Element {
  return xml('command', { xmlns: ns.commands, node, sessionid, status }, ...children);
}

function question({ forwardTo }: Account): DataForm {
  return {
    type: 'form',
    title: name,
    instructions: 'Chat messages and single messages go to this address instead. Leave it empty to get them yourself.',
    fields: [
      {
        var: 'target',
        type: 'jid-single',
        label: 'Address',
        ...(forwardTo && { values: [forwardTo.toString()] }),
      },
    ],
  };
}

function readTarget(element: Element, account: Account): Jid | undefined {
  const text = ReceivedForm.fromElement(element).text('target')?.trim();
  if (!text) return undefined;
  const target = jidOrNothing(text);
  if (!target || target.bare().equals(account.jid)) throw malformed('bad-payload');
  return target;
}

async function setForward(account: Account, target: Jid | undefined, store: Pick<AccountStore, 'setForward'>) {
  await store.setForward(account.key, target?.toString());
  account.forwardTo = target;
}

/** XEP-0050 §3.5. */
function malformed(condition: 'bad-action' | 'bad-payload'): StanzaError {
  return StanzaError.badRequest(undefined, { extra: xml(condition, { xmlns: ns.commands }) });
}
