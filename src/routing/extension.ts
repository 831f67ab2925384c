import type { DataForm } from '../protocol/data-form.ts';
import type { Capabilities, DiscoItem, Identity } from '../protocol/disco.ts';
import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { StanzaError } from '../protocol/stanza-error.ts';
import type { Element } from '../xml/element.ts';
import type { Account } from './account.ts';
import type { LoadedState } from './account-slot.ts';
import type { AckScope } from './ack-scope.ts';
import type { Command } from './command.ts';
import type { DeliveryPlan } from './delivery-plan.ts';
import type { HttpRoute } from './http-route.ts';
import type { IqContent, IqEnds, IqHandlerFor } from './iq-table.ts';
import type { LocalService } from './local-service.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { MessageStore, StoredExtras } from './message-store.ts';
import type { BoundOperation } from './operation.ts';
import type { NextHop } from './outbound.ts';
import type { JudgedPassage, Passage } from './passage.ts';
import type { Session } from './session.ts';
import type { SubscriptionState } from './subscription-states.ts';

/**
 * A XEP, or a part of an RFC, as a value: what it adds to the server, and what it says of itself.
 * These are all the hooks; they run in the order of the one list in `extensions/index.ts`.
 */
export interface Extension<Options = unknown> {
  readonly name: string;
  /** The specifications it implements; `docs/protocols.md` is made from these. */
  readonly claims: readonly Claim[];
  /** What service discovery says because it is there. */
  readonly disco?: Advertisement;
  /** Elements for the stream features offered at a given point of the negotiation. */
  readonly streamFeatures?: (stage: StreamStage) => readonly Element[];
  readonly iq?: readonly IqHandler[];
  /** Domains of their own that it answers for. */
  readonly services?: readonly LocalService[];
  /** Ad-hoc commands of the domain (XEP-0050). */
  readonly commands?: readonly DomainCommand[];
  /** Elements beside the three stanzas that a bound client may send. */
  readonly nonzas?: readonly NonzaHandler[];
  /** Features that a client can enable while it binds its resource. */
  readonly sessionFeatures?: readonly SessionFeature[];
  readonly filter?: StanzaFilter;
  readonly prepare?: Prepare;
  readonly judge?: Judge;
  readonly recall?: Recall;
  readonly record?: Recorder;
  readonly presence?: PresenceHook;
  /** Keeps messages for absent users; one extension at most does. */
  readonly messageStore?: MessageStore;
  /** Settles the stored messages of an account that have come due, before a client gets them. */
  readonly settleDue?: (account: string) => Promise<void>;
  /** Paths of the public HTTP listener. */
  readonly http?: readonly HttpRoute[];
  /** Operations for the operator. */
  readonly operations?: readonly BoundOperation[];
  /** What the extension adds to the status of the server. */
  readonly status?: () => StatusSection;
  /**
   * Prepares changed options and returns the function that puts them into effect, which cannot fail. Rejects if the options have a
   * fault; then no part of the server changes.
   */
  readonly reload?: (options: Options) => MaybePromise<() => void>;
  /** Everything is in place. */
  readonly opened?: () => void;
  /** The server is about to end; the store is still open. */
  readonly closing?: () => Promise<void>;
  /** The initial presence has been broadcast, or the priority has turned non-negative (RFC 6121 §4.2). */
  readonly readyForMessages?: (session: Session) => void;
  /** The session is gone; it is no longer in the directory. */
  readonly ended?: (session: Session) => void;
  /** State that is read together with every account. */
  readonly accountSlots?: readonly LoadedState[];
  /** The account is gone, on disk and from memory. */
  readonly accountRemoved?: (account: Jid) => void;
}

/** What `ampere status` shows of an extension. */
export interface StatusSection {
  /** One or two words that introduce the summary. */
  readonly title: string;
  /** One line for people. */
  readonly summary: string;
  /** The same for programs; must survive JSON. */
  readonly figures: object;
}

/** A specification that an extension implements. */
export interface Claim {
  /** `XEP-0199` or `RFC 6121`. */
  readonly spec: string;
  readonly title: string;
  /** Version of a XEP. */
  readonly version?: string;
  readonly status: 'complete' | 'partial';
  readonly note?: string;
}

/** What service discovery tells (XEP-0030). */
export interface Advertisement {
  /** Features of the domain. */
  readonly domain?: readonly string[];
  /** Features of an account's bare JID. */
  readonly account?: readonly string[];
  /**
   * A node of an account; nothing if there is no such node, or if `asker` may not know of it. Strangers ask as well: what this function
   * tells them shows that the account exists.
   */
  readonly accountNodes?: (account: Account, asker: Jid, node: string) => MaybePromise<Capabilities | undefined>;
  /** Items of an account, or of a node of it; nothing if `asker` may not know of any. Strangers ask as well, as above. */
  readonly accountItems?: (
    account: Account,
    asker: Jid,
    node: string | undefined,
  ) => MaybePromise<Iterable<DiscoItem> | undefined>;
  readonly domainIdentities?: readonly Identity[];
  readonly accountIdentities?: readonly Identity[];
  /** Extra forms in the domain's answer (XEP-0128). */
  readonly domainForms?: readonly DataForm[];
  /** Nodes of the domain that tell more, by name. */
  readonly domainNodes?: ReadonlyMap<string, Capabilities>;
  /** The items of nodes of the domain, by the name of the node, as a requester may see them. */
  readonly domainItems?: ReadonlyMap<string, DiscoItemsNode>;
}

type DiscoItemsNode = (request: IqRequest) => MaybePromise<readonly DiscoItem[]>;

/** An ad-hoc command of the domain (XEP-0050). */
export type DomainCommand = Command<LocalIqEnds>;

/** Where a client's stream stands when features are offered; or that it is the stream of another server. */
export type StreamStage = 'unauthenticated' | 'authenticated' | 'server';

/** The addressee of an iq to one of our domains, as seen from the requester. */
export type IqScope =
  /** The domain itself. */
  | 'server'
  /** The requester's own account: bare JID or no 'to' at all. */
  | 'self'
  /** Another local bare JID, also one without an account: by construction nobody can tell the two apart. */
  | 'other';

/** The ends of an iq request to the server or an account, and what its handler may know of them. */
export interface LocalIqEnds extends IqEnds<IqScope> {
  /** The requester's session if it is one of ours. */
  readonly session: Session | undefined;
  /** The account asked; absent for the domain, for an address without an account, and if the account has blocked the requester. */
  readonly account: Account | undefined;
}

/** Answers iq requests to the server or an account with one payload element. */
export type IqHandler = IqHandlerFor<LocalIqEnds>;

/** An iq of type get or set to the server or an account. */
export type IqRequest = LocalIqEnds & IqContent;

/** Handles a top-level element that is not a stanza. */
export interface NonzaHandler {
  readonly name: string;
  readonly ns: string;
  handle(session: Session, element: Element): void;
}

/** A feature of a session that the `<bind/>` of Bind 2 enables by an element in it; its namespace is advertised (XEP-0386 §3.2). */
export interface SessionFeature {
  readonly name: string;
  readonly ns: string;
  enable(session: Session, element: Element): void;
}

/** Looks at every stanza to or from a local account before anything else happens with it. */
export interface StanzaFilter {
  /** The account's client sends. An error goes back to it. */
  outbound?(stanza: Stanza, sender: Account): StanzaError | undefined;
  /** Somebody sends to the account. `refuse`: treated as if the account had no sessions and kept nothing. */
  inbound?(stanza: Stanza, recipient: Account): 'refuse' | undefined;
}

/**
 * Sees a message that a client or another server has sent just now, before filters and judges do, and may change it.
 * Returns the message to go on with; undefined if it ends here. Must return quickly when it has nothing to do: every message passes.
 */
type Prepare = (message: Stanza, sender: MessageSender) => Stanza | undefined;

/** Who has sent a message. */
interface MessageSender {
  /** Verified. */
  readonly jid: Jid;
  /** The session of a client of this server. */
  readonly session: Session | undefined;
}

/**
 * Takes up the case of a message, or leaves it to the next judge. `refused` ends the message; the judge has answered it.
 * What is asked here must not depend on the state of the recipient (XEP-0079 §9).
 */
export type Judge = (passage: Passage) => Hearing | 'refused' | undefined;

/** Takes up again the case of a message that came at some time and waits for a session since before a restart. */
type Recall = (passage: Passage, plan: DeliveryPlan, sentAtMs: number) => Oversight | undefined;

/** One message before its judge. */
export interface Hearing {
  /** The message to go on with. */
  readonly message: Stanza;
  /** The server itself has sent it, as {@link RouteOptions.own} has it. */
  readonly own?: true;
  /** Decides on what the server would do. */
  judge(plan: DeliveryPlan): Ruling;
}

/** What is to be done with a message. */
export interface Ruling {
  readonly message: Stanza;
  readonly plan: DeliveryPlan;
  /** A rule has stopped the message: no recorder sees it. */
  readonly stopped?: true;
  /** Absent if nobody needs to know what becomes of it. */
  readonly oversight?: Oversight;
}

/** Follows what has been decided, until it has happened. */
export interface Oversight {
  /** What goes into the store with a message that is stored. */
  readonly extras?: StoredExtras;
  /** It has happened. */
  done(): void;
  /**
   * It has had to wait for its recipient and could happen now: false if the message has come to its end meanwhile. What is said of
   * that counts for `ackScope`.
   */
  mayLeave?(ackScope: AckScope): boolean;
  /** It is about to leave the server, as `Departure.leaving` has it. */
  leaving?(hop?: NextHop): MaybePromise<Stanza | undefined>;
  /** It has failed, and this would happen now. */
  failed(next: DeliveryPlan): Ruling;
}

/** Follows presence and subscriptions, and adds to presence. The calls are synchronous: what takes long is begun and not awaited. */
export interface PresenceHook {
  /** A session has broadcast available presence, as subscribers got it; `initial` if the session was not available before. */
  announced?(session: Session, presence: Stanza, initial: boolean): void;
  /** An available session has become unavailable: by the presence it sent, or because it has ended. */
  withdrawn?(session: Session, presence: Stanza): void;
  /** Directed presence of a session to these addresses has ended: taken back, withdrawn with the session's presence, or blocked. */
  directedEnded?(session: Session, addresses: readonly Jid[]): void;
  /** Available or unavailable presence has passed the account's filters, whether or not the account has a session. */
  arrived?(presence: Stanza, from: Jid, account: Account): void;
  /** The subscription state between an account and a contact has changed. This is durable, and presence was shown or hidden. */
  subscriptionChanged?(account: Account, contact: Jid, before: SubscriptionState, after: SubscriptionState): void;
  /**
   * Returns available presence, broadcast or directed, with what the account adds to it. Probes and new subscribers get the result
   * as well. When presence is announced again, the hook is given its own result.
   */
  dress?(presence: Stanza, account: Account): Stanza;
}

/**
 * Sees every message once it has been judged, before anything happens with it: an archive writes it down, carbons copy it. Does not see
 * messages of the server itself unless they are errors, messages that a rule has stopped, and messages that are planned anew because what
 * was planned failed.
 * {@link isFirstJourney} tells new messages from those that come back.
 */
export type Recorder = (passage: JudgedPassage) => Recorded | undefined;

/** What a recorder has done with a message. */
export interface Recorded {
  /** Adds to the message what its recipient gets. Pure: it is called again if the message is planned anew. */
  readonly stamp?: (message: Stanza) => Stanza;
  /** The message as the sender's other devices get it, if that changes. */
  readonly copyForSender?: Stanza;
  /** The sender is acknowledged only after this. */
  readonly durable?: Promise<unknown>;
  /** Written together with the message if it is stored. */
  readonly extras?: StoredExtras;
  /** Nothing that was tried has worked, and the sender gets an error. */
  undelivered?(): void;
}
