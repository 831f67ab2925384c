import { JidError, prepareDomain } from '../../protocol/jid.ts';

/** The prepared form of a domain that another server has written, or nothing if it is none. */
export function domainOrNothing(text: string): string | undefined {
  try {
    return prepareDomain(text);
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}
