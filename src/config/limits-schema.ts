import { z } from 'zod';
import { bytes, flag, seconds, whole } from './fields.ts';

const million = 1_000_000;

const stanza = z
  .strictObject({
    depth: whole(64, 8, 1000, 'How deep elements may nest in a stanza.'),
    attributes: whole(64, 8, 1000, 'Attributes on one element.'),
    namespaces: whole(64, 8, 1000, 'Namespace declarations in one stanza.'),
    idBytes: whole(1023, 64, 65_536, "Bytes of a stanza's id attribute."),
    langBytes: whole(64, 16, 1024, "Bytes of a stanza's xml:lang attribute."),
  })
  .prefault({})
  .describe('Limits on the form of a stanza, before and after authentication alike.');

const unauthenticated = z
  .strictObject({
    stanzaBytes: bytes(
      10_000,
      10_000,
      'Bytes of one element before authentication. RFC 6120 §13.12 wants at least 10000.',
    ),
    elements: whole(32, 16, million, 'XML elements in one stanza before authentication.'),
    tlsHandshakeSeconds: seconds(10, 'From the start of a TLS handshake to its end.'),
    authenticationSeconds: seconds(30, 'From the acceptance of a connection to the end of authentication.'),
    readBytesPerSecond: bytes(5000, 1000, 'Average bytes a second read from one connection before authentication.'),
    readBurstBytes: bytes(20_000, 1000, 'Bytes read at once from one connection before the average holds.'),
  })
  .prefault({})
  .describe('Limits on a connection that has not authenticated yet.');

const c2s = z
  .strictObject({
    stanzaBytes: bytes(
      262_144,
      10_000,
      'Bytes of one stanza from an authenticated client. Told to clients (XEP-0478).',
    ),
    elements: whole(1000, 32, million, 'XML elements in one stanza from an authenticated client.'),
    stanzaCompletionSeconds: seconds(30, 'From the first byte of a stanza to its last.'),
    readBytesPerSecond: bytes(20_000, 1000, 'Average bytes a second read from one authenticated client.'),
    readBurstBytes: bytes(200_000, 1000, 'Bytes read at once from one authenticated client before the average holds.'),
    idlePingAfterSeconds: seconds(300, 'Silence after which the client is pinged. Told to clients (XEP-0478).'),
    idleCloseAfterSeconds: seconds(60, 'Further silence after the ping until the connection is closed.'),
    outgoingBufferBytes: bytes(1_048_576, 65_536, 'Bytes that may wait for a client that reads too slowly.'),
    writeStallSeconds: seconds(30, 'How long a client may take nothing at all of what waits for it.'),
  })
  .prefault({})
  .describe('Limits on an authenticated client.');

const components = z
  .strictObject({
    stanzaBytes: bytes(524_288, 10_000, 'Bytes of one stanza from a component.'),
    elements: whole(5000, 32, million, 'XML elements in one stanza from a component.'),
    outgoingBufferBytes: bytes(8_388_608, 65_536, 'Bytes that may wait for a component that reads too slowly.'),
  })
  .prefault({})
  .describe('Limits on components. How fast they are read is not bounded.');

const s2s = z
  .strictObject({
    stanzaBytes: bytes(524_288, 10_000, 'Bytes of one stanza from another server. Told to servers (XEP-0478).'),
    elements: whole(5000, 32, million, 'XML elements in one stanza from another server.'),
    stanzaCompletionSeconds: seconds(30, 'From the first byte of a stanza to its last.'),
    readBytesPerSecond: bytes(200_000, 1000, 'Average bytes a second read from one stream of another server.'),
    readBurstBytes: bytes(2_000_000, 1000, 'Bytes read at once from one stream before the average holds.'),
    idlePingAfterSeconds: seconds(300, 'Silence after which the other server is asked whether it is there.'),
    idleCloseAfterSeconds: seconds(60, 'Further silence until the connection is closed.'),
    outgoingBufferBytes: bytes(8_388_608, 65_536, 'Bytes that may wait for a server that reads too slowly.'),
    writeStallSeconds: seconds(60, 'How long another server may take nothing at all of what waits for it.'),
  })
  .prefault({})
  .describe('Limits on a stream from or to another server.');

const http = z
  .strictObject({
    headerBytes: bytes(16_384, 4096, 'Bytes of the header section of one request.'),
    headersSeconds: seconds(10, 'From the first byte of a request to the end of its headers.'),
    requestSeconds: seconds(60, 'From the first byte of a request to the end of its body.'),
    keepAliveSeconds: seconds(20, 'From an answer to the next request on the same connection.'),
    stallSeconds: seconds(30, 'How long a connection may be without a byte in either direction.'),
  })
  .prefault({})
  .describe('Limits on connections of HTTP and HTTPS.');

const peers = z
  .strictObject({
    links: whole(10_000, 10, million, 'Pairs of a domain of ours and one of another server at the same time.'),
    newLinksPerAccount: whole(200, 1, million, 'Streams to other servers that are being opened for one account.'),
    dialbackQuestions: whole(400, 1, million, 'Questions to other servers about dialback keys at the same time.'),
    dialbackQuestionsPerIp: whole(
      40,
      1,
      million,
      'Those of them that one IP address (one IPv6 /64) has us ask by its keys.',
    ),
  })
  .prefault({})
  .describe('What all share who have us connect to other servers, and the share of one.');

const connections = z
  .strictObject({
    total: z
      .int()
      .min(1)
      .max(10 * million)
      .exactOptional()
      .describe(
        'Connections at the same time. At most, and if left out, the open-files limit of the process less 256 (less half of it if that is fewer).',
      ),
    outgoing: z
      .int()
      .min(1)
      .max(10 * million)
      .exactOptional()
      .describe(
        'Connections to other servers at the same time, among `total`. At most, and if left out, half of that.',
      ),
    unauthenticated: whole(2000, 1, million, 'Connections at the same time that have not authenticated yet.'),
    perIpConcurrent: whole(100, 1, million, 'Connections at the same time from one IP address (from one IPv6 /64).'),
    perIpPerSecond: whole(20, 1, million, 'New connections a second from one IP address, on average.'),
    perIpBurst: whole(50, 1, million, 'New connections at once from one IP address before the average holds.'),
    backlog: whole(1024, 1, 65_535, 'Connections that may wait in the kernel to be accepted.'),
  })
  .prefault({})
  .describe('Limits on connections.');

const authentication = z
  .strictObject({
    failuresPerStream: whole(5, 2, 100, 'Failed attempts after which a stream is closed.'),
    failuresPerIp: whole(20, 1, million, 'Failed attempts from one IP address within the window until it is blocked.'),
    failureWindowSeconds: seconds(3600, 'The window in which failed attempts of one IP address are counted.'),
    blockSeconds: seconds(600, 'How long a blocked IP address cannot authenticate. Accounts are never blocked.'),
  })
  .prefault({})
  .describe('Limits on failed authentication.');

const registration = z
  .strictObject({
    perIp: whole(1, 1, million, 'Accounts that one IP address may register in-band within the window.'),
    windowSeconds: seconds(600, 'The window in which registrations of one IP address are counted.'),
  })
  .prefault({})
  .describe('Limits on in-band registration (XEP-0077).');

const limits = z
  .strictObject({
    disabled: flag(
      false,
      'Switches every limit on rates and on connections off, for measurements. Refused unless all listeners are on loopback.',
    ),
    stanza,
    unauthenticated,
    c2s,
    components,
    s2s,
    http,
    peers,
    connections,
    authentication,
    registration,
  })
  .prefault({})
  .describe('What one peer may ask of the server. See limits.md.');

type Limits = z.output<typeof limits>;

/** Beyond any rate, and still safe to calculate with, which Infinity is not (0 × Infinity). */
const unlimited = Number.MAX_SAFE_INTEGER;
const unlimitedReading = { readBytesPerSecond: unlimited, readBurstBytes: unlimited };

/** The `limits` of the configuration. When they are disabled the rates in its output are out of reach. */
export const limitsSchema = limits.transform(liftedIfDisabled);

function liftedIfDisabled(given: Limits): Limits {
  if (!given.disabled) return given;
  return {
    ...given,
    unauthenticated: { ...given.unauthenticated, ...unlimitedReading },
    c2s: { ...given.c2s, ...unlimitedReading },
    s2s: { ...given.s2s, ...unlimitedReading },
    peers: { ...given.peers, dialbackQuestionsPerIp: unlimited },
    connections: {
      ...given.connections,
      unauthenticated: unlimited,
      perIpConcurrent: unlimited,
      perIpPerSecond: unlimited,
      perIpBurst: unlimited,
    },
    authentication: { ...given.authentication, failuresPerIp: unlimited },
    registration: { ...given.registration, perIp: unlimited },
  };
}
