import { z } from 'zod';
import { bytes, flag, seconds, whole } from './fields.ts';

const million = 1_000_000;

const stanza = z
  .strictObject({
    depth: whole(64, 8, 1000, 'Maximum nesting depth of elements in a stanza.'),
    attributes: whole(64, 8, 1000, 'Maximum attributes on one element.'),
    namespaces: whole(64, 8, 1000, 'Maximum namespace declarations in one stanza.'),
    idBytes: whole(1023, 64, 65_536, "Maximum bytes of a stanza's id attribute."),
    langBytes: whole(64, 16, 1024, "Maximum bytes of a stanza's xml:lang attribute."),
  })
  .prefault({})
  .describe('Limits on the structure of a stanza, the same before and after authentication.');

const unauthenticated = z
  .strictObject({
    stanzaBytes: bytes(
      10_000,
      10_000,
      'Maximum bytes of one element before authentication. RFC 6120 §13.12 requires at least 10000.',
    ),
    elements: whole(32, 16, million, 'Maximum XML elements in one stanza before authentication.'),
    tlsHandshakeSeconds: seconds(10, 'Time allowed for a TLS handshake.'),
    authenticationSeconds: seconds(30, 'Time allowed from accepting a connection to the end of authentication.'),
    readBytesPerSecond: bytes(5000, 1000, 'Average bytes per second read from one connection before authentication.'),
    readBurstBytes: bytes(20_000, 1000, 'Bytes read from one connection in a burst, above the average.'),
  })
  .prefault({})
  .describe('Limits on a connection that has not authenticated yet.');

const c2s = z
  .strictObject({
    stanzaBytes: bytes(
      262_144,
      10_000,
      'Maximum bytes of one stanza from an authenticated client. Announced to clients (XEP-0478).',
    ),
    elements: whole(1000, 32, million, 'Maximum XML elements in one stanza from an authenticated client.'),
    stanzaCompletionSeconds: seconds(30, 'Time allowed from the first byte of a stanza to its last.'),
    readBytesPerSecond: bytes(20_000, 1000, 'Average bytes per second read from one authenticated client.'),
    readBurstBytes: bytes(200_000, 1000, 'Bytes read from one authenticated client in a burst, above the average.'),
    idlePingAfterSeconds: seconds(
      300,
      'Seconds of silence after which the server pings the client. Announced to clients (XEP-0478).',
    ),
    idleCloseAfterSeconds: seconds(60, 'Seconds of further silence after which the server closes the connection.'),
    outgoingBufferBytes: bytes(1_048_576, 65_536, 'Maximum bytes buffered for a client that reads too slowly.'),
    writeStallSeconds: seconds(30, 'Seconds without progress after which a client with buffered output is cut off.'),
  })
  .prefault({})
  .describe('Limits on an authenticated client.');

const components = z
  .strictObject({
    stanzaBytes: bytes(524_288, 10_000, 'Maximum bytes of one stanza from a component.'),
    elements: whole(5000, 32, million, 'Maximum XML elements in one stanza from a component.'),
    outgoingBufferBytes: bytes(8_388_608, 65_536, 'Maximum bytes buffered for a component that reads too slowly.'),
  })
  .prefault({})
  .describe('Limits on components. Their read rate is unlimited.');

const s2s = z
  .strictObject({
    stanzaBytes: bytes(
      524_288,
      10_000,
      'Maximum bytes of one stanza from another server. Announced to servers (XEP-0478).',
    ),
    elements: whole(5000, 32, million, 'Maximum XML elements in one stanza from another server.'),
    stanzaCompletionSeconds: seconds(30, 'Time allowed from the first byte of a stanza to its last.'),
    readBytesPerSecond: bytes(200_000, 1000, 'Average bytes per second read from one stream of another server.'),
    readBurstBytes: bytes(2_000_000, 1000, 'Bytes read from one stream in a burst, above the average.'),
    idlePingAfterSeconds: seconds(300, 'Seconds of silence after which the server checks that the peer responds.'),
    idleCloseAfterSeconds: seconds(60, 'Seconds of further silence after which the server closes the connection.'),
    outgoingBufferBytes: bytes(8_388_608, 65_536, 'Maximum bytes buffered for a server that reads too slowly.'),
    writeStallSeconds: seconds(60, 'Seconds without progress after which a server with buffered output is cut off.'),
  })
  .prefault({})
  .describe('Limits on a stream from or to another server.');

const http = z
  .strictObject({
    headerBytes: bytes(16_384, 4096, 'Maximum bytes of the header section of one request.'),
    headersSeconds: seconds(10, 'Time allowed from the first byte of a request to the end of its headers.'),
    requestSeconds: seconds(60, 'Time allowed from the end of the headers of a request to the end of its body.'),
    keepAliveSeconds: seconds(20, 'Time allowed from a response to the next request on the same connection.'),
    stallSeconds: seconds(
      30,
      'Seconds without a byte in either direction after which the server closes the connection.',
    ),
  })
  .prefault({})
  .describe('Limits on HTTP and HTTPS connections.');

const proxy = z
  .strictObject({
    transfers: whole(200, 1, million, 'Maximum file transfers through the proxy at the same time.'),
    transfersPerAccount: whole(10, 1, million, 'Maximum transfers that one account has started.'),
    negotiationSeconds: seconds(60, 'Time allowed from the connection of a client to the start of its transfer.'),
    idleSeconds: seconds(120, 'Seconds without a byte after which the server ends a transfer.'),
    readBytesPerSecond: bytes(
      1_000_000,
      1000,
      'Average bytes per second of one transfer, in both directions together.',
    ),
    readBurstBytes: bytes(10_000_000, 1000, 'Bytes of one transfer in a burst, above the average.'),
  })
  .prefault({})
  .describe('Limits on file transfers through the proxy (XEP-0065).');

const peers = z
  .strictObject({
    links: whole(10_000, 10, million, 'Maximum pairs of a local and a remote domain in use at the same time.'),
    newLinksPerAccount: whole(200, 1, million, 'Maximum streams to other servers being opened for one account.'),
    dialbackQuestions: whole(400, 1, million, 'Maximum dialback keys being verified at the same time.'),
    dialbackQuestionsPerIp: whole(
      40,
      1,
      million,
      'Maximum keys from one IP address (one IPv6 /64) being verified at the same time.',
    ),
  })
  .prefault({})
  .describe('Limits on outbound connections: the totals, and the share of one account or address.');

const strangers = z
  .strictObject({
    perSender: whole(20, 1, million, 'Messages and requests a minute from one address; twice as many at once.'),
    perDomain: whole(
      120,
      1,
      million,
      'Messages and requests a minute from one domain. Ten times as many if users of this server have contacts there.',
    ),
    perAccount: whole(60, 1, million, 'Messages and requests a minute to one account, from all strangers together.'),
  })
  .prefault({})
  .describe('Limits on messages and subscription requests from other servers to users who do not know the sender.');

const newAccounts = z
  .strictObject({
    hours: whole(24, 0, 8760, 'Hours for which an account is new after its user has registered it. 0: no limit.'),
    strangersPerHour: whole(20, 1, million, 'People who do not know the user, to whom the user may write in an hour.'),
  })
  .prefault({})
  .describe('Limits on users who have just registered. Accounts that the operator makes are not limited.');

const connections = z
  .strictObject({
    total: z
      .int()
      .min(1)
      .max(10 * million)
      .exactOptional()
      .describe(
        'Maximum connections at the same time. Default and upper bound: the open-files limit of the process minus 256 (minus half of it if that is less).',
      ),
    outgoing: z
      .int()
      .min(1)
      .max(10 * million)
      .exactOptional()
      .describe(
        'Maximum connections to other servers at the same time. They count in `total`. Default and upper bound: half of `total`.',
      ),
    unauthenticated: whole(2000, 1, million, 'Maximum unauthenticated connections at the same time.'),
    perIpConcurrent: whole(100, 1, million, 'Maximum connections at the same time from one IP address (one IPv6 /64).'),
    perIpPerSecond: whole(20, 1, million, 'New connections per second from one IP address, on average.'),
    perIpBurst: whole(50, 1, million, 'New connections from one IP address in a burst, above the average.'),
    backlog: whole(1024, 1, 65_535, 'Maximum connections waiting in the kernel to be accepted.'),
  })
  .prefault({})
  .describe('Limits on connections.');

const authentication = z
  .strictObject({
    failuresPerStream: whole(5, 2, 100, 'Failed attempts after which the server closes the stream.'),
    failuresPerIp: whole(20, 1, million, 'Failed attempts within the window after which an IP address is blocked.'),
    failureWindowSeconds: seconds(3600, 'Length of the window for counting failed attempts from one IP address.'),
    blockSeconds: seconds(600, 'How long a blocked IP address cannot authenticate. Accounts are never blocked.'),
  })
  .prefault({})
  .describe('Limits on failed authentication.');

const registration = z
  .strictObject({
    perIp: whole(1, 1, million, 'Maximum accounts registered from one IP address within the window.'),
    windowSeconds: seconds(600, 'Length of the window for counting registrations from one IP address.'),
    waiting: whole(100, 1, million, 'Maximum accounts that wait for approval (`registration.approval`).'),
    invitationsPerAccount: whole(
      20,
      1,
      million,
      'Maximum invitations of one account that can still be used. The operator has no limit.',
    ),
  })
  .prefault({})
  .describe('Limits on in-band registration (XEP-0077) and invitations (XEP-0401).');

const limits = z
  .strictObject({
    disabled: flag(
      false,
      'Disable all rate and connection limits, for measurements. Refused unless all listeners are on loopback.',
    ),
    stanza,
    unauthenticated,
    c2s,
    components,
    s2s,
    http,
    proxy,
    peers,
    strangers,
    newAccounts,
    connections,
    authentication,
    registration,
  })
  .prefault({})
  .describe('Limits on what one peer may use. See limits.md.');

type Limits = z.output<typeof limits>;

/** Above any real rate, and safe to calculate with, unlike Infinity (0 × Infinity). */
const unlimited = Number.MAX_SAFE_INTEGER;
const unlimitedReading = { readBytesPerSecond: unlimited, readBurstBytes: unlimited };

/** The `limits` of the configuration. If they are disabled, the output has `unlimited` rates. */
export const limitsSchema = limits.transform(liftedIfDisabled);

function liftedIfDisabled(configured: Limits): Limits {
  if (!configured.disabled) return configured;
  return {
    ...configured,
    unauthenticated: { ...configured.unauthenticated, ...unlimitedReading },
    c2s: { ...configured.c2s, ...unlimitedReading },
    s2s: { ...configured.s2s, ...unlimitedReading },
    proxy: { ...configured.proxy, ...unlimitedReading },
    peers: { ...configured.peers, dialbackQuestionsPerIp: unlimited },
    strangers: { perSender: million, perDomain: million, perAccount: million },
    newAccounts: { hours: 0, strangersPerHour: million },
    connections: {
      ...configured.connections,
      unauthenticated: unlimited,
      perIpConcurrent: unlimited,
      perIpPerSecond: unlimited,
      perIpBurst: unlimited,
    },
    authentication: { ...configured.authentication, failuresPerIp: unlimited },
    registration: { ...configured.registration, perIp: unlimited },
  };
}
