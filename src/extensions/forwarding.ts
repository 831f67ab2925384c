import type { DataForm } from '../protocol/data-form.ts';
import type { Jid } from '../protocol/jid.ts';
import { jidOrNothing } from '../protocol/jid-or-nothing.ts';
import type { Account } from '../routing/account.ts';
import { badPayload, command, users } from '../routing/command.ts';
import type { Extension } from '../routing/extension.ts';
import type { AccountStore } from '../storage/accounts.ts';

const name = 'Forward my messages';

/** The part of the configuration about forwards, read at each use. */
export interface ForwardingOptions {
  readonly userCommand: boolean;
}

/** An ad-hoc command with which users forward their messages to another address (XEP-0050). */
export function forwarding(store: Pick<AccountStore, 'setForward'>, options: ForwardingOptions): Extension {
  const forward = command({
    node: 'forward-messages',
    name,
    audience: users,
    isStateless: true,
    start: ({ account }) => ({
      form: question(account),
      isLast: true,
      submit: async (form) => {
        const target = readTarget(form.text('target')?.trim(), account);
        await store.setForward(account.key, target?.toString());
        account.forwardTo = target;
        const text = target ? `Messages are forwarded to ${target}.` : 'Messages are not forwarded.';
        return { note: { type: 'info', text } };
      },
    }),
  });
  return {
    name: 'forwarding',
    claims: [],
    get commands() {
      return options.userCommand ? [forward] : [];
    },
  };
}

function question({ forwardTo }: Account): DataForm {
  const values = forwardTo && { values: [forwardTo.toString()] };
  return {
    type: 'form',
    title: name,
    instructions: 'Chat messages and single messages go to this address instead. Leave it empty to get them yourself.',
    fields: [{ var: 'target', type: 'jid-single', label: 'Address', ...values }],
  };
}

/** The address in the form; undefined for an empty one. */
function readTarget(text: string | undefined, account: Account): Jid | undefined {
  if (!text) return undefined;
  const target = jidOrNothing(text);
  if (!target || target.bare().equals(account.jid)) throw badPayload();
  return target;
}
