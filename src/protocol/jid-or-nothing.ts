import { Jid, JidError, prepareDomain } from './jid.ts';

/** What `make` makes of an address somebody else has written, or nothing if that is none. */
export function ifAddress<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}

/** The address in a text, or nothing if it is none. */
export function jidOrNothing(text: string | undefined): Jid | undefined {
  return text === undefined ? undefined : ifAddress(() => Jid.parse(text));
}

/** The prepared form of a domain that somebody else has written, or nothing if it is none. */
export function domainOrNothing(text: string): string | undefined {
  return ifAddress(() => prepareDomain(text));
}
