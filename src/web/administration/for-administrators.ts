import { type DataForm, ReceivedForm } from '../../protocol/data-form.ts';
import type { Jid } from '../../protocol/jid.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { badPayload, type Command, type CommandStep, command } from '../../routing/command.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { AdministrationAccess, Administrator } from './administration-access.ts';

/** A field of a form. */
export type Field = DataForm['fields'][number];

/** A command for administrators: a form, and what is done with it. */
export interface AdministrationCommand<Ends> {
  /** The part of the node after `#`. */
  readonly name: string;
  readonly title: string;
  /** The form; a function if it shows what is set now. */
  readonly fields: readonly Field[] | ((administrator: Administrator, ends: Ends) => Promise<readonly Field[]>);
  /** Returns the fields of the result, or a text for the administrator. Throws OperationError. */
  readonly run: (administrator: Administrator, form: ReceivedForm, ends: Ends) => Promise<readonly Field[] | string>;
}

/** What administrators are, and where their commands are. */
interface Administration<Ends> {
  /** The namespace of the nodes and the forms. */
  readonly namespace: string;
  /** The administrator behind a request; undefined for everybody else. */
  readonly administratorOf: (ends: Ends) => Jid | undefined;
  readonly access: Pick<AdministrationAccess, 'for'>;
}

/** Makes ad-hoc commands that only administrators see and execute. */
export function forAdministrators<Ends>(
  commands: readonly AdministrationCommand<Ends>[],
  { namespace, administratorOf, access }: Administration<Ends>,
): Command<Ends>[] {
  const audience = { name: 'administrators', member: administratorOf };
  return commands.map((one) =>
    command({
      node: `${namespace}#${one.name}`,
      name: one.title,
      audience,
      isStateless: true,
      start: async (jid: Jid, ends: Ends): Promise<CommandStep> => {
        const administrator = administratorAt(access, jid);
        const carryOut = (form: ReceivedForm) => result(one, namespace, administrator, form, ends);
        const fields = typeof one.fields === 'function' ? await one.fields(administrator, ends) : one.fields;
        if (fields.length === 0) return carryOut(new ReceivedForm('submit', new Map()));
        const form = { type: 'form', formType: namespace, title: one.title, fields } as const;
        return { form, isLast: true, submit: carryOut };
      },
    }),
  );
}

function administratorAt(access: Pick<AdministrationAccess, 'for'>, jid: Jid): Administrator {
  const administrator = access.for({ operator: jid.toString(), origin: 'ad-hoc command' });
  if (!administrator) throw StanzaError.serviceUnavailable('the server is starting');
  return administrator;
}

/** Runs a command. A failure that the administrator can understand ends the command with a note. */
async function result<Ends>(
  { title, run }: AdministrationCommand<Ends>,
  namespace: string,
  administrator: Administrator,
  form: ReceivedForm,
  ends: Ends,
): Promise<CommandStep> {
  try {
    const found = await run(administrator, form, ends);
    if (typeof found === 'string') return { note: { type: 'info', text: found } };
    return { form: { type: 'result', formType: namespace, title, fields: found } };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { note: { type: 'error', text: error.message } };
  }
}

/** The one value of a field that is needed. Throws `bad-request`. */
export function one(form: ReceivedForm, name: string): string {
  const value = form.text(name)?.trim();
  if (!value) throw badPayload();
  return value;
}

/** The lines of a field as one text. Throws `bad-request` for an empty one. */
export function lines(form: ReceivedForm, name: string): string {
  const text = (form.fields.get(name) ?? []).join('\n').trim();
  if (text === '') throw badPayload();
  return text;
}

/** Does something for each address, and says what became of each. */
export async function forEachAccount(
  form: ReceivedForm,
  done: string,
  run: (jid: string) => Promise<unknown>,
): Promise<string> {
  const jids = (form.fields.get('accountjids') ?? []).map((jid) => jid.trim()).filter((jid) => jid !== '');
  if (jids.length === 0) throw badPayload();
  const said: string[] = [];
  for (const jid of jids) {
    try {
      await run(jid);
      said.push(`${jid} ${done}.`);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      said.push(error.message);
    }
  }
  return said.join('\n');
}
