/** The name that a client of a bytestream asks for: SHA-1 in hexadecimal (XEP-0065 §6.3.2). */
const keyPattern = /^[\dA-Fa-f]{40}$/;
const version = 5;
const domainName = 3;

/** Reply codes (RFC 1928 §6). */
const succeeded = 0;
const notAllowed = 2;
const commandNotSupported = 7;
const addressTypeNotSupported = 8;

/** What a SOCKS5 server has to do next. */
type Socks5Step =
  /** Wait for more bytes. */
  | { readonly kind: 'more' }
  /** Send a reply, and look at the bytes again. */
  | { readonly kind: 'reply'; readonly reply: Buffer }
  /** The client asks for this key; {@link Socks5Handshake.accepted} is the reply. `rest` came behind the request. */
  | { readonly kind: 'request'; readonly key: string; readonly rest: Buffer }
  /** The client did something else: send the reply, if there is one, and close the connection. */
  | { readonly kind: 'failed'; readonly reply: Buffer };

/** The server's side of a SOCKS5 handshake without authentication, as far as bytestreams use it (RFC 1928, XEP-0065 §11.2). */
export class Socks5Handshake {
  #bytes = Buffer.alloc(0);
  #greeted = false;
  #request = Buffer.alloc(0);

  /** Takes bytes of the client. */
  receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
  }

  /** The next step with the bytes received so far. */
  next(): Socks5Step {
    if (this.#bytes.length > 0 && this.#bytes[0] !== version) return { kind: 'failed', reply: Buffer.alloc(0) };
    return this.#greeted ? this.#readRequest() : this.#readGreeting();
  }

  /** The reply to an accepted request: the address of the request (XEP-0065 §5.3.2). */
  get accepted(): Buffer {
    return reply(succeeded, this.#request.subarray(3));
  }

  /** The reply to a request that is refused. */
  get refused(): Buffer {
    return reply(notAllowed, this.#request.subarray(3));
  }

  #readGreeting(): Socks5Step {
    const count = this.#bytes[1];
    if (count === undefined || this.#bytes.length < 2 + count) return { kind: 'more' };
    const methods = this.#bytes.subarray(2, 2 + count);
    this.#bytes = this.#bytes.subarray(2 + count);
    // 0: no authentication; 255: none of the client's methods.
    if (!methods.includes(0)) return { kind: 'failed', reply: Buffer.of(version, 255) };
    this.#greeted = true;
    return { kind: 'reply', reply: Buffer.of(version, 0) };
  }

  #readRequest(): Socks5Step {
    const [, command, , addressType, length] = this.#bytes;
    if (length === undefined) return { kind: 'more' };
    if (command !== 1) return { kind: 'failed', reply: reply(commandNotSupported) };
    if (addressType !== domainName) return { kind: 'failed', reply: reply(addressTypeNotSupported) };
    const end = 5 + length + 2;
    if (this.#bytes.length < end) return { kind: 'more' };
    this.#request = this.#bytes.subarray(0, end);
    const key = this.#request.toString('latin1', 5, 5 + length);
    if (!keyPattern.test(key)) return { kind: 'failed', reply: this.refused };
    return { kind: 'request', key: key.toLowerCase(), rest: this.#bytes.subarray(end) };
  }
}

/** A reply with an address; without one, with 0.0.0.0 port 0. */
function reply(code: number, address: Buffer = Buffer.of(1, 0, 0, 0, 0, 0, 0)): Buffer {
  return Buffer.concat([Buffer.of(version, code, 0), address]);
}
