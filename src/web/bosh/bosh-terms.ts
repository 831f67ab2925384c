import { type BoshRequest, wholeNumber } from './bosh-body.ts';

/** What client and server have agreed on for a session (XEP-0124 §7). */
export interface BoshTerms {
  readonly waitMs: number;
  /** How many requests the server keeps without an answer. With 0 the client polls. */
  readonly hold: number;
  /** The version of the protocol that both know. Undefined for a client from before versions. */
  readonly version: string | undefined;
  /** Whether the answers name the highest request that came (XEP-0124 §9). */
  readonly acknowledges: boolean;
  readonly contentType: string;
  /** The domain that the client asked for. */
  readonly domain: string | undefined;
}

/** The version of XEP-0124 that the server speaks. */
const ownVersion = [1, 11] as const;
const longestWaitSeconds = 60;
/** The type of the answers unless the client asks for another one. */
export const usualContentType = 'text/xml; charset=utf-8';
/** Types that no browser runs. The client chooses one of them for the answers. */
const harmlessContentType = /^(?:text\/(?:xml|plain)|application\/xml)(?: *; *charset=utf-8)?$/i;

/** Requests that a client may have open at a time: one is held, the other one brings news. */
export const openRequests = 2;
/** Without any request for this long, the client is gone. */
export const inactivitySeconds = 60;
/** The shortest time between two requests that only ask for news. */
export const pollingSeconds = 5;
/** The longest pause that a client may ask for. */
export const longestPauseSeconds = 120;
/** The longest time for which a request waits for an answer, in milliseconds. */
export const longestWaitMs = longestWaitSeconds * 1000;

/** The terms of the session that a request asks for. */
export function termsOf({ attribute }: BoshRequest): BoshTerms {
  const waitSeconds = Math.min(wholeNumber(attribute('wait')) ?? longestWaitSeconds, longestWaitSeconds);
  const content = attribute('content') ?? '';
  return {
    waitMs: waitSeconds * 1000,
    hold: waitSeconds === 0 ? 0 : Math.min(wholeNumber(attribute('hold')) ?? 1, openRequests - 1),
    version: versionOf(attribute('ver')),
    acknowledges: attribute('ack') === '1',
    contentType: harmlessContentType.test(content) ? content : usualContentType,
    domain: attribute('to'),
  };
}

/** The attributes of the first answer of a session (XEP-0124 §7.2, XEP-0206 §4). */
export function attributesOf(terms: BoshTerms, sid: string): Readonly<Record<string, string | undefined>> {
  return {
    sid,
    wait: String(terms.waitMs / 1000),
    hold: String(terms.hold),
    requests: String(openRequests),
    inactivity: String(inactivitySeconds),
    polling: String(pollingSeconds),
    maxpause: String(longestPauseSeconds),
    ver: terms.version,
    from: terms.domain,
  };
}

/** The lower one of the client's version and ours. */
function versionOf(text: string | undefined): string | undefined {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})$/.exec(text ?? '') ?? [];
  if (major === undefined) return undefined;
  const [ownMajor, ownMinor] = ownVersion;
  const isLower = Number(major) < ownMajor || (Number(major) === ownMajor && Number(minor) < ownMinor);
  return isLower ? text : ownVersion.join('.');
}
