import { z } from 'zod';
import { mechanismNames } from '../c2s/negotiation/sasl/mechanisms.ts';
import { ampSchema } from './amp-schema.ts';
import { defaultDataDir } from './data-dir.ts';
import { externalServicesSchema } from './external-services-schema.ts';
import {
  address,
  bytes,
  contactUri,
  domain,
  fileUrl,
  flag,
  host,
  hostOrAddress,
  network,
  type Origin,
  path,
  reachable,
  seconds,
  secret,
  whole,
} from './fields.ts';
import { limitsSchema } from './limits-schema.ts';
import { type ByListener, forEachListener, type ListenerKind, listenerKinds } from './listener-kinds.ts';
import { logSchema } from './log-schema.ts';
import { moderationSchema } from './moderation-schema.ts';
import { pushSchema } from './push-schema.ts';
import { registrationSchema } from './registration-schema.ts';
import { roomsSchema } from './rooms-schema.ts';
import { s2sSchema } from './s2s-schema.ts';
import { uploadsSchema } from './uploads-schema.ts';
import { webSchema } from './web-schema.ts';

const channelBindings = ['tls-exporter', 'tls-server-end-point'] as const;

const optionalListener = 'If the server cannot listen there, start anyway and log a warning.';

/** One address to listen on. */
export const listenerSchema = z
  .strictObject({
    host,
    port: z.int().min(0).max(65_535).describe('TCP port. 0: the system chooses one.'),
    optional: flag(false, optionalListener),
    proxyProtocol: z
      .array(network)
      .min(1)
      .exactOptional()
      .describe(
        'Addresses of load balancers that begin each connection with the PROXY protocol, version 1 or 2. Other connections are refused.',
      ),
  })
  .describe('An address to listen on.');

/** The `listen` section for a table of kinds. */
export function listenSchema(kinds: ByListener<ListenerKind>) {
  return z
    .strictObject(forEachListener(kinds, listenersSchema))
    .prefault({})
    .describe('The addresses to listen on. By default, loopback only.');
}

function listenersSchema({ port, serves, byDefault, description }: ListenerKind) {
  const takesProxies = serves === 'clients' || serves === 'servers' || serves === 'web';
  const loopback = ['127.0.0.1', '::1'].map((address) => ({ host: address, port, optional: true }));
  return z
    .array(takesProxies ? listenerSchema : listenerSchema.omit({ proxyProtocol: true }))
    .default(byDefault ? loopback : [])
    .describe(description);
}

function certificateFiles(origin: Origin) {
  return {
    certificate: path(
      origin,
      'PEM file with the certificate, followed by the intermediate certificates (fullchain.pem).',
    ),
    key: path(origin, 'PEM file with the private key. Only its owner may be able to read it.'),
    passphrase: secret(origin, 'The passphrase of an encrypted key.').exactOptional(),
  };
}

/** The certificate files of one domain. */
function domainCertificateSchema(origin: Origin) {
  return z.strictObject(certificateFiles(origin)).describe('The certificate of this domain.');
}

function tls(origin: Origin) {
  const { certificate, key, passphrase } = certificateFiles(origin);
  return z
    .strictObject({
      certificate: certificate.exactOptional(),
      key: key.exactOptional(),
      passphrase,
      required: flag(true, 'Refuse to authenticate clients without TLS. Use false only for tests on one machine.'),
      domains: z
        .record(domain, domainCertificateSchema(origin))
        .prefault({})
        .describe('Certificates for single domains and components. The others use `tls.certificate`.'),
    })
    .prefault({})
    .describe(
      'TLS certificates. The server issues missing certificates itself, from a development authority in dataDir/tls.',
    );
}

const authentication = z
  .strictObject({
    mechanisms: z
      .array(z.enum(mechanismNames))
      .min(1)
      .default([...mechanismNames])
      .describe('SASL mechanisms offered to clients. PLAIN is offered over TLS only.'),
    scramIterations: whole(10_000, 4096, 1_000_000, 'PBKDF2 iterations for newly stored passwords.'),
    channelBindings: z
      .array(z.enum(channelBindings))
      .min(1)
      .default([...channelBindings])
      .describe('Channel bindings offered with the -PLUS mechanisms (XEP-0440).'),
    scramUpgrades: z
      .array(z.enum(['SHA-256', 'SHA-512']))
      .default(['SHA-256', 'SHA-512'])
      .describe(
        'Hashes whose SCRAM keys clients may add to accounts that lack them, such as imported ones (XEP-0480). Offered over TLS only.',
      ),
    fast: z
      .strictObject({
        enabled: flag(true, 'Offer tokens. If false, tokens that were issued do not work.'),
        tokenDays: whole(21, 1, 3650, 'Days after which a token that is not used expires.'),
        rotateHours: whole(24, 1, 87_600, 'Age of a token, in hours, at which its next use replaces it by a new one.'),
      })
      .prefault({})
      .describe('Tokens with which clients log in again without the password (XEP-0484).'),
    deviceDays: whole(
      60,
      0,
      3650,
      'Days for which a device is remembered after it was last seen, for the list of devices (XEP-0494). 0: only while it has a token.',
    ),
  })
  .prefault({})
  .describe('How clients authenticate.');

function component(origin: Origin) {
  return z
    .strictObject({
      secret: secret(origin, 'The secret shared with the component.'),
      gateway: z
        .boolean()
        .exactOptional()
        .describe(
          "Whether AMP rules treat the component as a gateway out of XMPP (XEP-0079 §3.3.1). By default, the component's service discovery decides.",
        ),
      conflict: z
        .enum(['replace', 'refuse'])
        .default('replace')
        .describe('When the component connects again: replace the old connection, or refuse the new one.'),
      whileAway: z
        .enum(['bounce', 'queue'])
        .default('bounce')
        .describe('Messages while the component is not connected: return an error, or queue them until it connects.'),
      queue: z
        .strictObject({
          maxStanzas: whole(1000, 1, 1_000_000, 'Maximum messages in the queue.'),
          maxBytes: bytes(4 * 1024 * 1024, 65_536, 'Maximum bytes of messages in the queue.'),
          maxSeconds: seconds(3600, 'Maximum time a message waits in the queue.'),
        })
        .prefault({})
        .describe('Limits on the queue.'),
    })
    .describe('A component: a separate program that serves this domain (XEP-0114).');
}

const sessions = z
  .strictObject({
    maxPerAccount: whole(20, 1, 10_000, 'Maximum sessions of one account at the same time.'),
    conflict: z
      .enum(['replace', 'refuse'])
      .default('replace')
      .describe(
        'When a resource is already in use: replace the old session, or refuse the new one (RFC 6120 §7.7.2.2).',
      ),
  })
  .prefault({})
  .describe('The sessions of an account.');

const streamManagement = z
  .strictObject({
    resumeSeconds: seconds(
      3600,
      'How long a session can be resumed after its connection is lost, unless the client asks for another time.',
    ),
    maxResumeSeconds: seconds(86_400, 'The longest time a client may ask for.'),
    location: reachable
      .optional()
      .describe('Preferred address for resuming sessions: a host with or without a port (XEP-0198 §3).'),
    maxStanzas: whole(1000, 10, 1_000_000, 'Maximum unacknowledged stanzas per client.'),
    maxBytes: bytes(
      4 * 1024 * 1024,
      65_536,
      'Maximum unacknowledged bytes per client. Must be at least twice the largest stanza.',
    ),
    ackEveryStanzas: whole(
      5,
      1,
      1000,
      'Number of unacknowledged stanzas at which the server requests an acknowledgment.',
    ),
    ackAfterMilliseconds: whole(
      100,
      0,
      60_000,
      'Age of an unacknowledged stanza at which the server requests an acknowledgment. Messages left unacknowledged when a session ends are delivered again.',
    ),
  })
  .prefault({})
  .describe('Stream management: acknowledgments and resumption (XEP-0198).');

const offline = z
  .strictObject({
    maxMessages: whole(1000, 0, 1_000_000, 'Maximum messages stored for one account. 0: none.'),
    maxBytes: bytes(10 * 1024 * 1024, 0, 'Maximum bytes of messages stored for one account.'),
    toArchiveClients: flag(
      false,
      'Also send stored messages to clients that read the archive. Otherwise they get only those that their archive does not have.',
    ),
  })
  .prefault({})
  .describe('Messages stored for offline accounts (XEP-0160).');

const archive = z
  .strictObject({
    enabled: flag(
      true,
      'Keep an archive of the messages of each account, which its clients can read. Each message is then written to the disk.',
    ),
    markers: flag(true, 'Keep delivery receipts and chat markers, too. Without them, archives are much smaller.'),
    keepDays: z
      .int()
      .min(1)
      .max(36_500)
      .nullable()
      .default(365)
      .describe('How long messages are kept in the archives, in days; null keeps them for ever.'),
    maxPerAccount: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .nullable()
      .default(null)
      .describe('Messages in the archive of one account, beyond which the oldest are removed; null for no limit.'),
  })
  .prefault({})
  .describe('The archives of messages (XEP-0313).');

const forwarding = z
  .strictObject({
    userCommand: flag(
      true,
      'Let users set up forwarding from their client (XEP-0050). If false, only the operator can; existing forwards stay.',
    ),
  })
  .prefault({})
  .describe('Forwarding of messages to another address.');

const roster = z
  .strictObject({
    maxItems: whole(1000, 1, 100_000, 'Maximum contacts of one account.'),
    maxGroupsPerItem: whole(50, 1, 1000, 'Maximum groups of one contact.'),
    maxNameBytes: whole(1023, 64, 65_536, 'Maximum bytes of the name of a contact or group.'),
  })
  .prefault({})
  .describe('Contact lists.');

function addresses(description: string, address = contactUri) {
  return z.array(address).default([]).describe(description);
}

const contact = z
  .strictObject({
    abuse: addresses('Abuse reports.'),
    admin: addresses('Administrators.'),
    feedback: addresses('Feedback.'),
    sales: addresses('Sales.'),
    security: addresses('Vulnerability reports.'),
    status: addresses('Service status.'),
    support: addresses('User support.'),
    outages: addresses('Files on other machines that tell clients of outages (XEP-0455), see operating.md.', fileUrl),
  })
  .prefault({})
  .describe('URIs for contacting the operator, published in service discovery (XEP-0157).');

const storage = z
  .strictObject({
    quickCheck: flag(true, 'Check the database for corruption at every start, unless it is larger than 256 MiB.'),
    ballastBytes: bytes(
      32 * 1024 * 1024,
      0,
      'Size of a file that reserves disk space next to the database. The server deletes it when the disk is full. While less than twice this size is free, the server stores nothing new. 0: no reserve, and no refusal until the disk is full.',
    ),
  })
  .prefault({})
  .describe('The database.');

const proxy = z
  .strictObject({
    host: hostOrAddress
      .exactOptional()
      .describe('Host name or IP address that clients connect to. By default proxy.DOMAIN.'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .exactOptional()
      .describe('Port that clients connect to. By default the first one of `listen.proxy`.'),
  })
  .prefault({})
  .describe(
    'The proxy for file transfers at proxy.DOMAIN (XEP-0065). It is on if `listen.proxy` has addresses that as many clients can reach as the server itself.',
  );

const shutdown = z
  .strictObject({
    drainSeconds: whole(10, 0, 3600, 'Time for clients to receive buffered data when the server stops.'),
  })
  .prefault({})
  .describe('Shutdown.');

/** The schema of the whole configuration file. */
export function configSchema(origin: Origin) {
  return z.strictObject({
    $schema: z.string().exactOptional().describe('For editors: location of the JSON Schema of this file.'),
    domains: z
      .array(domain)
      .min(1)
      .prefault(['localhost'])
      .describe('The domains served: the part of an address after the @.'),
    administrators: z
      .array(address)
      .default([])
      .describe(
        'Addresses of the accounts that may administer the server with ad-hoc commands of their clients (XEP-0133).',
      ),
    dataDir: path(origin, "Directory for all of the server's data. Created if missing.").prefault(defaultDataDir),
    listen: listenSchema(listenerKinds),
    edges: whole(
      0,
      0,
      16,
      'Additional threads for client connections (sockets and TLS). 0: the main thread handles them. See performance.md.',
    ),
    tls: tls(origin),
    components: z
      .record(domain, component(origin))
      .prefault({})
      .describe('Components: separate programs that serve further domains, by domain.'),
    authentication,
    registration: registrationSchema,
    moderation: moderationSchema,
    sessions,
    streamManagement,
    offline,
    archive,
    rooms: roomsSchema,
    amp: ampSchema,
    push: pushSchema,
    forwarding,
    roster,
    contact,
    externalServices: externalServicesSchema(origin),
    web: webSchema(origin),
    uploads: uploadsSchema,
    log: logSchema(origin),
    storage,
    s2s: s2sSchema(origin),
    proxy,
    shutdown,
    limits: limitsSchema,
  });
}

/** A checked configuration: defaults filled in, paths absolute, secrets resolved. */
export type Config = z.output<ReturnType<typeof configSchema>>;

/** One address to listen on. */
export type Listener = z.output<typeof listenerSchema>;
