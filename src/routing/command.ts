import type { DataForm, ReceivedForm } from '../protocol/data-form.ts';
import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { xml } from '../xml/element.ts';
import { type MaybePromise, then } from './maybe-promise.ts';
import type { Session } from './session.ts';

/** The requesters who may execute a command. */
interface CommandAudience<Ends, Member> {
  /** In the plural, for an error text: `users of this server`. */
  readonly name: string;
  /** The requester as a member of the audience; undefined for others. */
  readonly member: (ends: Ends) => MaybePromise<Member | undefined>;
}

/** The users of this server. */
export const users: CommandAudience<{ readonly session: Session | undefined }, Session> = {
  name: 'users of this server',
  member: ({ session }) => session,
};

interface CommandNote {
  readonly type: 'info' | 'warn' | 'error';
  readonly text: string;
}

/** The end of a command. */
interface CommandResult {
  readonly note?: CommandNote;
  /** Of type `result`. */
  readonly form?: DataForm;
}

/** A form that the requester has to fill in. */
export interface CommandStage {
  readonly form: DataForm;
  /** Whether the command ends when this form is submitted. */
  readonly isLast?: boolean;
  /** Takes the form. After a StanzaError the requester can submit it again. */
  readonly submit: (form: ReceivedForm) => MaybePromise<CommandStep>;
  /** Goes back to the stage before. */
  readonly previous?: () => MaybePromise<CommandStage>;
}

/** What follows when a command starts, or when a form is submitted. */
export type CommandStep = CommandResult | CommandStage;

/** An ad-hoc command (XEP-0050) whose requester has these ends. */
export interface Command<Ends> {
  readonly node: string;
  readonly name: string;
  /** The name of the audience. */
  readonly audience: string;
  /** The command has one stage at most, and starting it again gives the same stage: the server remembers nothing in between. */
  readonly isStateless: boolean;
  readonly admits: (ends: Ends) => MaybePromise<boolean>;
  /** The first step; undefined if the command does not admit the requester. */
  readonly start: (ends: Ends) => MaybePromise<CommandStep | undefined>;
}

interface CommandDefinition<Ends, Member> {
  readonly node: string;
  readonly name: string;
  readonly audience: CommandAudience<Ends, Member>;
  readonly isStateless?: boolean;
  readonly start: (member: Member, ends: Ends) => MaybePromise<CommandStep>;
}

/** Makes a command from its definition. */
export function command<Ends, Member>(definition: CommandDefinition<Ends, Member>): Command<Ends> {
  const { node, name, audience, isStateless = false, start } = definition;
  return {
    node,
    name,
    audience: audience.name,
    isStateless,
    admits: (ends) => then(audience.member(ends), (member) => member !== undefined),
    start: (ends) => then(audience.member(ends), (member) => (member === undefined ? undefined : start(member, ends))),
  };
}

/** A form that a command cannot take (XEP-0050 §4.4). */
export function badPayload(): StanzaError {
  return StanzaError.badRequest(undefined, { extra: xml('bad-payload', { xmlns: ns.commands }) });
}
