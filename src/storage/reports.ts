import { ns } from '../protocol/namespaces.ts';

/** A text in which a user explains a report. */
export interface ReportText {
  readonly text: string;
  readonly lang?: string | undefined;
}

/** An archived message that a report quotes, as XML. */
export interface ReportedMessage {
  readonly xml: string;
  readonly atMs: number;
}

/** To whom a user allows a report to be passed on: the server of the reported address, or third parties (XEP-0377 §5). */
export type PassingOn = 'report-origin' | 'third-party';

/** A user's report about an address (XEP-0377 §4). */
export interface NewReport {
  readonly atMs: number;
  /** The reported address. */
  readonly jid: string;
  /** A URI, such as `urn:xmpp:reporting:spam`. */
  readonly reason: string;
  readonly texts: readonly ReportText[];
  readonly passingOn: readonly PassingOn[];
  readonly messages: readonly ReportedMessage[];
}

/** A stored report. */
export interface StoredReport extends NewReport {
  /** Larger than the ids of all earlier reports. */
  readonly id: number;
  /** The account of the user. */
  readonly reporter: string;
}

/** A stored report without its messages. */
export interface ReportSummary extends Omit<StoredReport, 'messages'> {
  readonly messageCount: number;
}

/** How many reports are stored at the same time. */
export interface ReportLimits {
  readonly perAccount: number;
  readonly total: number;
}

/** Reports of users, for the operator. They are removed together with the account of the user. */
export interface ReportStore {
  /** Adds a report and removes the oldest ones beyond the limits. Resolves with its id. */
  add(reporter: string, report: NewReport, limits: ReportLimits): Promise<number>;
  /** The latest reports with smaller ids than `beforeId`, latest first. */
  list(beforeId: number, limit: number): Promise<ReportSummary[]>;
  get(id: number): Promise<StoredReport | undefined>;
  /** False if there was no such report. */
  remove(id: number): Promise<boolean>;
}

/** The word at the end of a reason (XEP-0377 §4), or the reason itself if it is not one of the usual URIs. */
export function reasonWord(reason: string): string {
  return reason.startsWith(ns.reportReasons) ? reason.slice(ns.reportReasons.length) : reason;
}
