import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import { decodeUtf8 } from './saslprep.ts';
import { decodeBase64 } from './strict-base64.ts';

/** What the client says about channel binding: `n` cannot, `y` would have, or the type it uses. */
export type BindingFlag = { readonly kind: 'n' | 'y' } | { readonly kind: 'p'; readonly type: string };

/** The first message of a client (RFC 5802 §7). */
interface ClientFirst {
  readonly gs2Header: string;
  readonly binding: BindingFlag;
  readonly authzid: string;
  readonly username: string;
  readonly nonce: string;
  /** The message without the GS2 header, as it was sent. */
  readonly bare: string;
}

/** The final message of a client (RFC 5802 §7). */
interface ClientFinal {
  readonly channelBinding: string;
  readonly nonce: string;
  readonly proof: Buffer;
  /** The message up to the proof, as it was sent. */
  readonly withoutProof: string;
}

const maxMessageBytes = 8192;
const gs2Header = /^(?:(?<plain>[ny])|p=(?<type>[A-Za-z0-9.-]+)),(?:a=(?<authzid>[^,]+))?,/;
const clientFirstBare = /^n=(?<name>[^,]+),r=(?<nonce>[\x21-\x2b\x2d-\x7e]+)(?<extensions>(?:,[^,]*)*)$/;
const clientFinal = /^(?<start>c=(?<binding>[^,]+),r=(?<nonce>[^,]+)(?<extensions>(?:,[^,]*)*)),p=(?<proof>[^,]+)$/;

/** Letters RFC 5802 §5.1 keeps for itself, `m` included: only others may extend a message. */
const extension = /^[A-Za-z]=[^,]+$/;
const reserved = new Set('aceimnprsv');

/** Reads a client-first message; throws `malformed-request` for anything the grammar does not allow. */
export function parseClientFirst(response: Buffer): ClientFirst {
  const message = textOf(response);
  const header = gs2Header.exec(message);
  if (!header) throw malformed();
  const bare = message.slice(header[0].length);
  const { name = '', nonce = '', extensions = '' } = groupsOf(clientFirstBare.exec(bare));
  requireExtensions(extensions);
  const { plain, type = '', authzid = '' } = groupsOf(header);
  return {
    gs2Header: header[0],
    binding: plain === 'n' || plain === 'y' ? { kind: plain } : { kind: 'p', type },
    authzid: decodeName(authzid),
    username: decodeName(name),
    nonce,
    bare,
  };
}

/** Reads a client-final message; throws `malformed-request` for anything the grammar does not allow. */
export function parseClientFinal(response: Buffer): ClientFinal {
  const groups = groupsOf(clientFinal.exec(textOf(response)));
  const { start = '', binding = '', nonce = '', extensions = '', proof: encoded = '' } = groups;
  requireExtensions(extensions);
  const proof = decodeBase64(encoded);
  if (!proof) throw malformed();
  return { channelBinding: binding, nonce, proof, withoutProof: start };
}

function textOf(response: Buffer): string {
  if (response.length > maxMessageBytes) throw malformed();
  const text = decodeUtf8(response);
  if (text === undefined || text.includes('\0')) throw malformed();
  return text;
}

/** Undoes the escapes of a saslname; any other use of '=' is an error (RFC 5802 §5.1). */
function decodeName(name: string): string {
  if (/=(?!2C|3D)/.test(name)) throw malformed();
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function requireExtensions(extensions: string): void {
  for (const attribute of extensions.split(',').slice(1)) {
    if (!extension.test(attribute) || reserved.has(attribute.charAt(0))) throw malformed();
  }
}

function groupsOf(match: RegExpExecArray | null): Partial<Record<string, string>> {
  if (!match?.groups) throw malformed();
  return match.groups;
}

function malformed(): SaslFailure {
  return SaslFailure.malformedRequest();
}
