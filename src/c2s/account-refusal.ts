import { StanzaError } from '../protocol/stanza-error.ts';
import { StorageError } from '../storage/storage-error.ts';
import { PasswordError } from './negotiation/sasl/credentials.ts';
import { Pbkdf2QueueFull } from './negotiation/sasl/pbkdf2-queue.ts';

/** Throws the StanzaError for a failure of the registrar (XEP-0077 §3.1). Rethrows errors that the client did not cause. */
export function refuseAccount(error: unknown): never {
  if (error instanceof PasswordError) throw StanzaError.notAcceptable(error.message);
  if (error instanceof Pbkdf2QueueFull) throw StanzaError.resourceConstraint();
  if (error instanceof StorageError && error.isPassing) throw StanzaError.resourceConstraint();
  if (error instanceof StorageError && error.code === 'conflict')
    throw StanzaError.conflict('the user name is already taken');
  if (error instanceof StorageError && error.code === 'not-found') throw StanzaError.itemNotFound();
  throw error;
}
