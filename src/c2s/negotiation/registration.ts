import { formElement, ReceivedForm } from '../../protocol/data-form.ts';
import { Jid } from '../../protocol/jid.ts';
import { ifAddress } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { errorReply, iqResult } from '../../protocol/stanza-replies.ts';
import { checkStanza } from '../../protocol/stanza-rules.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { Clock } from '../../support/clock.ts';
import { networkOf } from '../../support/network-of.ts';
import { type Rate, TokenBuckets } from '../../support/token-buckets.ts';
import { attribute, childNamed, type Element, textOf, xml } from '../../xml/element.ts';
import { refuseAccount } from '../account-refusal.ts';
import { type Redemption, type ShownInvitation, TooManyTokens } from '../redemption.ts';
import { type Question, RegistrationQuestions } from './registration-question.ts';
import type { NegotiatingStream, StreamFacts, StreamFeature } from './stream-feature.ts';

/** How many accounts one address may register without an invitation; read at each use. */
interface RegistrationLimits {
  readonly perIp: number;
  readonly windowSeconds: number;
}

/** Registers an account. Rejects as `Registrar.create` does, or with a StanzaError. */
type Register = (account: Jid, password: string) => Promise<void>;

/** How people register without an invitation; read at each use. */
export interface RegistrationOptions {
  /** Whether they may. If not, only people with an invitation can. */
  readonly open: boolean;
  /** Whether their accounts wait for the approval of the operator. */
  readonly needsApproval: boolean;
  /** Accounts that may wait at the same time. */
  readonly maxWaiting: number;
  /** Time after which an account that was not approved is removed. */
  readonly keepMs: number;
  /** Questions for people, one of which must be answered. */
  readonly questions: readonly Question[];
}

/** Dependencies of in-band registration. */
export interface RegistrationDeps {
  readonly options: Pick<RegistrationOptions, 'open' | 'needsApproval' | 'questions'>;
  /** Registers an account without an invitation. */
  readonly register: Register;
  readonly redemption: Pick<Redemption, 'enabled' | 'find' | 'register'>;
  readonly limits: RegistrationLimits;
  /** Whether it may be done without TLS. */
  readonly withoutTls: boolean;
  readonly clock: Clock;
}

/** In-band registration before authentication (XEP-0077 §3.1): with an invitation (XEP-0445) or, if the operator opens it, without one. */
export function registration(deps: RegistrationDeps): StreamFeature {
  const requests = new Registration(deps);
  const { redemption } = deps;
  // Clients with an invitation look for all three: the second is the one of XEP-0445, the third an older name.
  const byToken = [ns.registerFeature, ns.registerByToken, ns.legacyRegisterByToken];
  const isPossible = () => redemption.enabled || deps.options.open;
  return {
    name: 'register',
    exclusive: false,
    needs: ({ secure, identity }: StreamFacts) => isPossible() && !identity && (secure || deps.withoutTls),
    offer: () => (redemption.enabled ? byToken : [ns.registerFeature]).map((xmlns) => xml('register', { xmlns })),
    handles: ({ name, payload }) =>
      isPossible() && name === 'iq' && (payload.has('query', ns.register) || payload.has('preauth', ns.preauth)),
    negotiate(stream, frame, isOffered) {
      const request = Stanza.fromFrame(frame);
      return answered(stream, request, () => {
        if (!isOffered) throw StanzaError.notAllowed();
        return requests.take(stream, request);
      });
    },
  };
}

/** New allowances have the limits in effect. */
function rateOf(limits: RegistrationLimits): Rate {
  return {
    get perSecond() {
      return limits.perIp / limits.windowSeconds;
    },
    get burst() {
      return limits.perIp;
    },
  };
}

async function answered(
  stream: NegotiatingStream,
  request: Stanza,
  run: () => MaybePromise<Element | undefined>,
): Promise<void> {
  try {
    stream.sendStanza(iqResult(request, await run()));
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    const reply = errorReply(request, error);
    if (reply) stream.sendStanza(reply);
  }
}

/** Answers the requests of all streams. */
class Registration {
  readonly #deps: RegistrationDeps;
  /** Registrations by address (XEP-0077 §6). */
  readonly #allowance: TokenBuckets;
  readonly #questions: RegistrationQuestions;
  /** The invitations that streams have shown. */
  readonly #shown = new WeakMap<NegotiatingStream, ShownInvitation>();

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
    const { limits, options, clock } = deps;
    this.#allowance = new TokenBuckets(rateOf(limits), clock);
    this.#questions = new RegistrationQuestions(options, limits, clock);
  }

  take(stream: NegotiatingStream, request: Stanza): MaybePromise<Element | undefined> {
    const fault = checkStanza(request);
    if (fault) throw fault;
    const [payload] = request.payload.elements();
    if (payload?.getName() === 'preauth') return this.#show(stream, request, payload);
    if (request.type === 'get') return this.#form(stream);
    if (request.type === 'set') return this.#register(stream, payload);
    throw StanzaError.badRequest();
  }

  #form(stream: NegotiatingStream): Element {
    const invitation = this.#shown.get(stream);
    const { open, needsApproval } = this.#deps.options;
    if (invitation || !open) return fieldsElement(usualInstructions, invitation?.username);
    const instructions = needsApproval ? `${usualInstructions} ${approvalInstructions}` : usualInstructions;
    const asked = this.#questions.for(stream);
    return fieldsElement(instructions, undefined, asked && questionForm(asked, instructions));
  }

  /** Takes a token (XEP-0445 §4). It is used only when the account is registered. */
  async #show(stream: NegotiatingStream, { type }: Stanza, preauth: Element): Promise<undefined> {
    const token = attribute(preauth, 'token');
    if (type !== 'set' || token === undefined) throw StanzaError.badRequest();
    const { host: domain, remoteAddress } = stream;
    const found = await this.#deps.redemption
      .find(token, ['account'], { remoteAddress, domain })
      .catch(refuseTooManyTokens);
    if (!found) throw StanzaError.itemNotFound('the invitation is not valid, or not valid any more');
    this.#shown.set(stream, found);
    return undefined;
  }

  async #register(stream: NegotiatingStream, query: Element | undefined): Promise<undefined> {
    const { options, register, redemption } = this.#deps;
    const invitation = this.#shown.get(stream);
    if (!invitation && !options.open) throw StanzaError.notAllowed('registration needs an invitation');
    const { username, password, answer } = readRegistration(query);
    if (username === undefined || password === undefined)
      throw StanzaError.notAcceptable('a user name and a password are required');
    const account = accountJid(username, stream.host);
    if (invitation?.username !== undefined && invitation.username !== account.local)
      throw StanzaError.notAcceptable(`the invitation is for the user name ${invitation.username}`);
    if (!invitation) this.#questions.check(stream, answer);
    if (!invitation && !this.#allowance.tryTake(networkOf(stream.remoteAddress)))
      throw StanzaError.resourceConstraint('too many registrations; try again later');
    const registered = invitation ? redemption.register(invitation, account, password) : register(account, password);
    await registered.catch(refuseAccount);
    this.#shown.delete(stream);
    return undefined;
  }
}

const usualInstructions = 'Choose a user name and a password.';
const approvalInstructions = 'You can log in when the operator has approved your account.';

/** What a client needs to send, for clients that read forms and for those that do not (XEP-0077 §4). */
function fieldsElement(instructions: string, username: string | undefined, form?: Element): Element {
  return xml(
    'query',
    { xmlns: ns.register },
    xml('instructions', { xmlns: ns.register }, instructions),
    xml('username', { xmlns: ns.register }, username),
    xml('password', { xmlns: ns.register }),
    form,
  );
}

/** The form with a question (XEP-0158 §4). */
function questionForm({ question }: Question, instructions: string): Element {
  return formElement({
    type: 'form',
    formType: ns.register,
    instructions,
    fields: [
      { var: 'username', type: 'text-single', label: 'User name', required: true },
      { var: 'password', type: 'text-private', label: 'Password', required: true },
      { var: 'qa', type: 'text-single', label: question, required: true },
    ],
  });
}

/** What a client has sent, as a form or without one. */
function readRegistration(query: Element | undefined) {
  const x = query && childNamed(query, 'x', ns.dataForm);
  const form = x && ReceivedForm.fromElement(x);
  if (form && form.type !== 'submit') throw StanzaError.badRequest('the form must be submitted');
  const field = (name: string) => {
    const child = query && childNamed(query, name, ns.register);
    return form?.text(name) ?? (child && textOf(child));
  };
  return { username: field('username'), password: field('password'), answer: form?.text('qa') };
}

function accountJid(username: string, host: string): Jid {
  const account = ifAddress(() => Jid.from(username, host));
  if (!account?.local) throw StanzaError.notAcceptable('the user name is not allowed');
  return account;
}

function refuseTooManyTokens(error: unknown): never {
  if (error instanceof TooManyTokens) throw StanzaError.resourceConstraint(error.message);
  throw error;
}
