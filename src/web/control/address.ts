import { Jid, JidError } from '../../protocol/jid.ts';
import { OperationError } from './operation-error.ts';

/** The address that an operator has written; throws `invalid` if it is none. */
export function address(text: string): Jid {
  try {
    return Jid.parse(text);
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
    throw new OperationError('invalid', `${JSON.stringify(text)} is not an address: its ${error.message}.`);
  }
}
