import type { DataForm } from '../protocol/data-form.ts';
import type { Capabilities, DiscoItem, Identity } from '../protocol/disco.ts';
import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { StanzaError } from '../protocol/stanza-error.ts';
import type { Metric } from '../support/metric.ts';
import type { Element } from '../xml/element.ts';
import type { Account } from './account.ts';
import type { LoadedState } from './account-slot.ts';
import type { AckScope } from './ack-scope.ts';
import type { Command } from './command.ts';
import type { DeliveryPlan } from './delivery-plan.ts';
import type { ExtensionListener } from './extension-listener.ts';
import type { HttpRoute } from './http-route.ts';
import type { IqContent, IqEnds, IqHandlerFor } from './iq-table.ts';
import type { LocalService } from './local-service.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { MessageArchive } from './message-archive.ts';
import type { MessageStore, StoredExtras } from './message-store.ts';
import type { BoundOperation } from './operation.ts';
import type { NextHop } from './outbound.ts';
import type { JudgedPassage, Passage } from './passage.ts';
import type { NodeHook } from './personal-nodes.ts';
import type { Session } from './session.ts';
import type { SubscriptionState } from './subscription-states.ts';

/**
 * A XEP, or a part of an RFC, as a value: its hooks, and its claims about itself. These are all the hooks there can be. They run in the
 * order of the list in `extensions/index.ts`.
 */
export interface Extension<Options = unknown> {
  readonly name: string;
  /**
   * Whether the options turn it on; without it, it is always on. Only `claims` and `reload` of an extension that is off are used. An
   * extension with `isOn` has no `nonzas`, `sessionFeatures`, `listener`, `http`, `operations` and `metrics`, which are read at the start.
   */
  readonly isOn?: (options: Options) => boolean;
  /** The specifications that it implements. `docs/protocols.md` is generated from these. */
  readonly claims: readonly Claim[];
  /** What it adds to service discovery. */
  readonly disco?: Advertisement;
  /** Elements that it adds to the stream features at a stage of the negotiation. */
  readonly streamFeatures?: (stage: StreamStage) => readonly Element[];
  readonly iq?: readonly IqHandler[];
  /** Services that answer for further domains. */
  readonly services?: readonly LocalService[];
  /** Ad-hoc commands of the domain (XEP-0050). */
  readonly commands?: readonly DomainCommand[];
  /** Elements other than stanzas that a bound client may send. */
  readonly nonzas?: readonly NonzaHandler[];
  /** Features that a client can enable while it binds its resource. */
  readonly sessionFeatures?: readonly SessionFeature[];
  readonly filter?: StanzaFilter;
  readonly admit?: Admit;
  readonly prepare?: Prepare;
  readonly judge?: Judge;
  readonly recall?: Recall;
  readonly record?: Recorder;
  readonly presence?: PresenceHook;
  readonly detached?: DetachedHook;
  /** Stores messages for absent users. At most one extension has it. */
  readonly messageStore?: MessageStore;
  /** Keeps messages that clients read when they like. At most one extension has it. */
  readonly messageArchive?: MessageArchive;
  /** Settles the stored messages of an account that have come due, before a client gets them. */
  readonly settleDue?: (account: string) => Promise<void>;
  /** Ports of its own. */
  readonly listener?: ExtensionListener;
  /** Paths of the public HTTP listener. */
  readonly http?: readonly HttpRoute[];
  /** Operations for the operator. */
  readonly operations?: readonly BoundOperation[];
  /** What the extension adds to the status of the server. */
  readonly status?: () => StatusSection;
  /** Figures for monitoring systems. */
  readonly metrics?: readonly Metric[];
  /**
   * Prepares changed options and returns the function that puts them into effect, which cannot fail. Rejects if the options have a
   * fault; then no part of the server changes.
   */
  readonly reload?: (options: Options) => MaybePromise<() => void>;
  /** The sessions of the last run that can be resumed are in the directory again. No port is open yet. */
  readonly restored?: () => void;
  /** The client of such a session has resumed it. */
  readonly returned?: (session: Session) => void;
  /** A stream with the server of another domain has broken: stanzas on their way may be lost. */
  readonly linkBroken?: (remote: string) => void;
  /** Users of other servers are barred from now on. Ends their presence in services of the extension; resolves when they were told. */
  readonly barred?: (users: BarredUsers) => Promise<void>;
  /** All ports are open. */
  readonly opened?: () => void;
  /** All streams have ended; the store is still open. */
  readonly closing?: () => Promise<void>;
  /**
   * The session was bound in this turn, while its client authenticated. Resolves with content for the `<bound/>` that the client gets
   * (XEP-0386 §3.2). Nothing is sent to the session before that.
   */
  readonly boundInline?: (session: Session) => Promise<Element>;
  /** The session has broadcast its initial presence, or its priority has become non-negative (RFC 6121 §4.2). */
  readonly readyForMessages?: (session: Session) => void;
  /** The session has ended and is no longer in the directory. */
  readonly ended?: (session: Session) => void;
  /** A room has a message for the account, which has no client in it. */
  readonly missed?: (account: Account, message: Stanza) => void;
  /** Nodes of accounts (XEP-0163) that the extension follows, or that show data of the extension. */
  readonly nodes?: readonly NodeHook[];
  /** State that is loaded together with every account. */
  readonly accountSlots?: readonly LoadedState[];
  /**
   * A client of the account has blocked an address; that is durable. `item` may hold elements of other extensions (XEP-0191 §3.3).
   * The answer to the client waits for a promise.
   */
  readonly blocked?: (account: Account, jid: Jid, item: Element) => MaybePromise<void>;
  /** The account was removed, from disk and memory. */
  readonly accountRemoved?: (account: Jid) => void;
  /**
   * The access of a device was revoked: ends what the extension keeps for it. The sessions of the device end later. `device` is the key
   * in `Session.device`.
   */
  readonly deviceRevoked?: (account: Jid, device: string) => MaybePromise<void>;
}

/** Users of other servers with whom the operator, or a block list, wants no contact. */
export interface BarredUsers {
  readonly has: (user: Jid) => boolean;
  /** Whether those who are members of a room may stay in it. */
  readonly sparesMembers: boolean;
  /** For the users, and for those who see them go. */
  readonly reason: string;
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

/** What an extension adds to service discovery (XEP-0030). */
export interface Advertisement {
  /** Features of the domain. */
  readonly domain?: readonly string[];
  /** Features of an account's bare JID. */
  readonly account?: readonly string[];
  /** Further ones, which only the account itself can use and sees. */
  readonly ownAccount?: readonly string[];
  /**
   * The capabilities of a node of an account; undefined if the node does not exist or `asker` may not know of it. Strangers can ask, too:
   * any answer to them reveals that the account exists.
   */
  readonly accountNodes?: (account: Account, asker: Jid, node: string) => MaybePromise<Capabilities | undefined>;
  /** Items of an account, or of a node of it; undefined if `asker` may not know of any. Strangers can ask, too. */
  readonly accountItems?: (
    account: Account,
    asker: Jid,
    node: string | undefined,
  ) => MaybePromise<Iterable<DiscoItem> | undefined>;
  readonly domainIdentities?: readonly Identity[];
  readonly accountIdentities?: readonly Identity[];
  /** Forms in the domain's disco#info (XEP-0128). */
  readonly domainForms?: readonly DataForm[];
  /** The capabilities of nodes of the domain, by the name of the node. */
  readonly domainNodes?: ReadonlyMap<string, Capabilities>;
  /** The items of nodes of the domain, by the name of the node, as a requester may see them. */
  readonly domainItems?: ReadonlyMap<string, DiscoItemsNode>;
}

type DiscoItemsNode = (request: IqRequest) => MaybePromise<readonly DiscoItem[]>;

/** An ad-hoc command of the domain (XEP-0050). */
export type DomainCommand = Command<LocalIqEnds>;

/** Whether the client of a stream has authenticated when features are offered. `server`: it is the stream of another server. */
export type StreamStage = 'unauthenticated' | 'authenticated' | 'server';

/** The addressee of an iq to a local domain, as seen from the requester. */
export type IqScope =
  /** The domain itself. */
  | 'server'
  /** The requester's own account: bare JID or no 'to' at all. */
  | 'self'
  /** Another local bare JID, with or without an account: a requester cannot tell the two apart. */
  | 'other';

/** The ends of an iq request to the server or an account, as far as its handler may know them. */
export interface LocalIqEnds extends IqEnds<IqScope> {
  /** The requester's session, if it is a client of this server. */
  readonly session: Session | undefined;
  /** The account of the address; undefined for the domain, if the account does not exist, and if it refuses the requester. */
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

/** A feature that a client enables with an element in the `<bind/>` of Bind 2, which advertises its namespace (XEP-0386 §3.2). */
export interface SessionFeature {
  readonly name: string;
  readonly ns: string;
  enable(session: Session, element: Element): void;
}

/** Decides which stanzas an account sends and receives. */
export interface StanzaFilter {
  /** Checks a stanza that a client of the account sends. The client gets the error that is returned. */
  readonly outbound?: (stanza: Stanza, sender: Account) => StanzaError | undefined;
  /** Checks a stanza to the account. `refuse`: the stanza is handled as if the account did not exist. */
  readonly inbound?: (stanza: Stanza, recipient: Account) => 'refuse' | undefined;
}

/**
 * Decides about a stanza for an account that another server has just sent, once, before anything else. The sender gets the error that is
 * returned. The account is undefined if there is none with this address.
 */
type Admit = (stanza: Stanza, from: Jid, to: Jid, account: Account | undefined) => StanzaError | undefined;

/**
 * Sees a message that a client or another server has just sent, before filters and judges, and may change it. Returns the message to go
 * on with, or undefined to drop it. Must return quickly if it has nothing to do, because it sees every message. The sender is verified;
 * one that is a client of this server has a session.
 */
type Prepare = (message: Stanza, sender: Jid, session: Session | undefined) => Stanza | undefined;

/**
 * Takes up the case of a message, or leaves it to the next judge. `refused`: the judge has answered the message, which ends here.
 * The decision must not depend on the state of the recipient (XEP-0079 §9).
 */
export type Judge = (passage: Passage) => Hearing | 'refused' | undefined;

/** Takes up again the case of a message that was sent at `sentAtMs` and has waited for a session since before a restart. */
type Recall = (passage: Passage, plan: DeliveryPlan, sentAtMs: number) => Oversight | undefined;

/** One message before its judge. */
export interface Hearing {
  /** The message to go on with. */
  readonly message: Stanza;
  /** The server itself sends the message, as {@link RouteOptions.own} says. */
  readonly own?: true;
  /** Rules on the plan. */
  judge(plan: DeliveryPlan): Ruling;
}

/** A judge's decision about a message. */
export interface Ruling {
  readonly message: Stanza;
  readonly plan: DeliveryPlan;
  /** A rule has stopped the message. No recorder sees it. */
  readonly stopped?: true;
  /** Absent if the judge does not need to know the outcome. */
  readonly oversight?: Oversight;
}

/** Follows a plan until it has happened or failed. */
export interface Oversight {
  /** Data to store with the message, if it is stored. */
  readonly extras?: StoredExtras | undefined;
  /** The plan has happened: the bytes were handed to the socket, or the message is durable. */
  done(): void;
  /**
   * Called when the message has waited for its recipient and could be written now. Returns false if it must not be, because a rule ended
   * it meanwhile. Reports about that count for `ackScope`.
   */
  mayLeave?(ackScope: AckScope): boolean;
  /** The message is about to leave the server, see `Handoff.leaving`. */
  leaving?(hop?: NextHop): MaybePromise<Stanza | undefined>;
  /** The plan has failed. Rules on the next plan. */
  failed(next: DeliveryPlan): Ruling;
}

/** Follows presence and subscriptions, and adds to presence. The functions return at once; they start longer work without waiting. */
export interface PresenceHook {
  /** A session has broadcast this available presence. `initial`: it was not available before. */
  announced?(session: Session, presence: Stanza, initial: boolean): void;
  /** An available session has become unavailable, by the presence it sent or by its end. */
  withdrawn?(session: Session, presence: Stanza): void;
  /** Directed presence to these addresses has ended: the client took it back or became unavailable, or the address was blocked. */
  directedEnded?(session: Session, addresses: readonly Jid[]): void;
  /** Available or unavailable presence has passed the account's filters, whether or not the account has a session. */
  arrived?(presence: Stanza, from: Jid, account: Account): void;
  /** A request for a subscription shows a token (XEP-0379 §3.4): whether to accept it in the name of the account, and to ask the contact for the same. */
  accepts?(request: Stanza, account: Account): MaybePromise<boolean>;
  /** The subscription state between an account and a contact has changed. It is durable, and presence was shown or hidden. */
  subscriptionChanged?(account: Account, contact: Jid, before: SubscriptionState, after: SubscriptionState): void;
  /**
   * Returns available presence, broadcast or directed, with what the account adds to it. Probes and new subscribers get the result,
   * too. When presence is announced again, the hook gets its own earlier result.
   */
  dress?(presence: Stanza, account: Account): Stanza;
}

/** Follows sessions whose connection is lost while their client can come back (XEP-0198 §5). The functions return at once. */
interface DetachedHook {
  /** The connection of a session is lost. The client may not have the stanzas in `unconfirmed`. */
  lost?(session: Session, unconfirmed: readonly Stanza[]): void;
  /** A stanza for the client of such a session begins to wait. */
  waiting?(session: Session, stanza: Stanza): void;
}

/**
 * Sees every message after it was judged and before anything happens with it, for example to archive or copy it. Does not see messages of
 * the server itself unless they are errors, messages that a rule has stopped, and messages that are planned again because a plan failed.
 * {@link isFirstJourney} distinguishes new messages from those that return.
 */
export type Recorder = (passage: JudgedPassage) => Recorded | undefined;

/** What a recorder did with a message. */
export interface Recorded {
  /** Returns the message with what the recorder adds for the recipient. Pure: it is called again if the message is planned again. */
  stamp?(message: Stanza): Stanza;
  /** The message as the sender's other devices get it, if the recorder changes it. */
  readonly copyForSender?: Stanza | undefined;
  /** The acknowledgment of the message waits for this promise. */
  readonly durable?: Promise<unknown> | undefined;
  /** The sender's next stanza waits for this promise: the recorder has too much work. */
  readonly backlog?: Promise<unknown> | undefined;
  /** Data to store with the message, if it is stored. */
  readonly extras?: StoredExtras | undefined;
  /**
   * Called when a plan of the kind `direct` or `stored` was carried out: sessions have the message, or the store has it durably. Called
   * again if it fails later and another plan is carried out.
   */
  carriedOut?(plan: DeliveryPlan): void;
  /** Called when no plan is left for the message, or when a rule ends it while it waits for a session. */
  undelivered?(): void;
}
