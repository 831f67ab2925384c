import { Jid, JidError, prepareDomain } from './jid.ts';

/** The result of `make`, or undefined if the address is malformed. */
export function ifAddress<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}

/** The address in a text, or undefined if it is malformed. */
export function jidOrNothing(text: string | undefined): Jid | undefined {
  return text === undefined ? undefined : ifAddress(() => Jid.parse(text));
}

/** The prepared form of a domain, or undefined if it is malformed. */
export function domainOrNothing(text: string): string | undefined {
  return ifAddress(() => prepareDomain(text));
}
