import { z } from 'zod';
import { mechanismNames } from '../c2s/negotiation/sasl/mechanisms.ts';
import { ampSchema } from './amp-schema.ts';
import {
  bytes,
  contactUri,
  domain,
  flag,
  host,
  type Origin,
  path,
  reachable,
  seconds,
  secret,
  whole,
} from './fields.ts';
import { limitsSchema } from './limits-schema.ts';
import { type ByListener, forEachListener, type ListenerKind, listenerKinds } from './listener-kinds.ts';
import { s2sSchema } from './s2s-schema.ts';

const channelBindings = ['tls-exporter', 'tls-server-end-point'] as const;

const optionalListener = 'Start with a warning if the server cannot listen there.';

/** One address to listen on. */
export const listenerSchema = z
  .strictObject({
    host,
    port: z.int().min(0).max(65_535).describe('TCP port; 0 lets the system choose.'),
    optional: flag(false, optionalListener),
  })
  .describe('An address to listen on.');

/** The `listen` section for a table of kinds. */
export function listenSchema(kinds: ByListener<ListenerKind>) {
  return z
    .strictObject(forEachListener(kinds, listenersSchema))
    .prefault({})
    .describe('The addresses to listen on. Unless set, loopback only.');
}

function listenersSchema({ port, byDefault, description }: ListenerKind) {
  const loopback = ['127.0.0.1', '::1'].map((address) => ({ host: address, port, optional: true }));
  return z
    .array(listenerSchema)
    .default(byDefault ? loopback : [])
    .describe(description);
}

function certificateFiles(origin: Origin) {
  return {
    certificate: path(origin, 'PEM file: the certificate, then the intermediate certificates (fullchain.pem).'),
    key: path(origin, 'PEM file with the private key. Nobody but its owner may be able to read it.'),
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
      required: flag(true, 'Refuse to authenticate clients without TLS. false is for tests on one machine.'),
      domains: z
        .record(domain, domainCertificateSchema(origin))
        .prefault({})
        .describe('Domains and components with certificates of their own; the others use the one above.'),
    })
    .prefault({})
    .describe('TLS certificates. Domains without one get one from a development authority in dataDir/tls.');
}

const authentication = z
  .strictObject({
    mechanisms: z
      .array(z.enum(mechanismNames))
      .min(1)
      .default([...mechanismNames])
      .describe('SASL mechanisms offered. PLAIN is offered under TLS only.'),
    scramIterations: whole(10_000, 4096, 1_000_000, 'PBKDF2 iterations for passwords stored from now on.'),
    channelBindings: z
      .array(z.enum(channelBindings))
      .min(1)
      .default([...channelBindings])
      .describe('Channel bindings offered with the -PLUS mechanisms (XEP-0440).'),
  })
  .prefault({})
  .describe('How clients prove who they are.');

const registration = z
  .strictObject({
    inBand: flag(false, 'Anybody may create an account from a client (XEP-0077).'),
    passwordChange: flag(true, 'Users may change their password from their client.'),
    accountRemoval: flag(true, 'Users may delete their account from their client.'),
  })
  .prefault({})
  .describe('Accounts made, changed and deleted by clients themselves.');

function component(origin: Origin) {
  return z
    .strictObject({
      secret: secret(origin, 'What the component proves itself with.'),
      gateway: z
        .boolean()
        .exactOptional()
        .describe(
          'Whether messages leave XMPP there, as the rules of messages see it (XEP-0079 §3.3.1). Left out: what its service discovery says.',
        ),
      conflict: z
        .enum(['replace', 'refuse'])
        .default('replace')
        .describe('When it connects a second time: end the old connection, or refuse the new one.'),
      whileAway: z
        .enum(['bounce', 'queue'])
        .default('bounce')
        .describe('Messages while it is not connected: answered with an error, or kept until it comes.'),
      queue: z
        .strictObject({
          maxStanzas: whole(1000, 1, 1_000_000, 'Messages that may wait for it.'),
          maxBytes: bytes(4 * 1024 * 1024, 65_536, 'Bytes of messages that may wait for it.'),
          maxSeconds: seconds(3600, 'How long a message may wait for it.'),
        })
        .prefault({})
        .describe('Bounds on what waits for it.'),
    })
    .describe('A component: a program of its own that answers for this domain (XEP-0114).');
}

const sessions = z
  .strictObject({
    maxPerAccount: whole(20, 1, 10_000, 'Sessions of one account at the same time.'),
    conflict: z
      .enum(['replace', 'refuse'])
      .default('replace')
      .describe('When a resource is in use already: end the old session, or refuse the new one (RFC 6120 §7.7.2.2).'),
  })
  .prefault({})
  .describe('The sessions of an account.');

const streamManagement = z
  .strictObject({
    resumeSeconds: seconds(
      3600,
      'How long a client whose connection was lost may come back, unless it asks for less or more.',
    ),
    maxResumeSeconds: seconds(86_400, 'The longest time a client may ask for.'),
    location: reachable
      .optional()
      .describe('Where clients should come back to first, as a host with or without a port (XEP-0198 §3).'),
    maxStanzas: whole(1000, 10, 1_000_000, 'Stanzas that may wait for one client to acknowledge them.'),
    maxBytes: bytes(
      4 * 1024 * 1024,
      65_536,
      'Bytes that may wait for one client to acknowledge them. At least twice the largest stanza.',
    ),
    ackEveryStanzas: whole(5, 1, 1000, 'The client is asked for an acknowledgment when this many stanzas wait for it.'),
    ackAfterMilliseconds: whole(
      100,
      0,
      60_000,
      'The client is asked for an acknowledgment when a stanza has waited for this long. What is not acknowledged when a client leaves comes again.',
    ),
  })
  .prefault({})
  .describe('Acknowledgments and sessions that survive a lost connection (XEP-0198).');

const offline = z
  .strictObject({
    maxMessages: whole(1000, 0, 1_000_000, 'Messages kept for one account; 0 keeps none.'),
    maxBytes: bytes(10 * 1024 * 1024, 0, 'Bytes of messages kept for one account.'),
  })
  .prefault({})
  .describe('Messages kept for accounts that are not online (XEP-0160).');

const forwarding = z
  .strictObject({
    userCommand: flag(
      true,
      'Users may have their messages forwarded from their client (XEP-0050). false leaves it to the operator; what is forwarded already stays so.',
    ),
  })
  .prefault({})
  .describe('Messages that go on to another address.');

const roster = z
  .strictObject({
    maxItems: whole(1000, 1, 100_000, 'Contacts of one account.'),
    maxGroupsPerItem: whole(50, 1, 1000, 'Groups of one contact.'),
    maxNameBytes: whole(1023, 64, 65_536, 'Bytes of the name of a contact or of a group.'),
  })
  .prefault({})
  .describe('Contact lists.');

function addresses(description: string) {
  return z.array(contactUri).default([]).describe(description);
}

const contact = z
  .strictObject({
    abuse: addresses('Reports of abuse.'),
    admin: addresses('The administrators.'),
    feedback: addresses('Feedback.'),
    sales: addresses('Sales.'),
    security: addresses('Reports of weaknesses.'),
    status: addresses('Where the state of the service is published.'),
    support: addresses('Help for users.'),
  })
  .prefault({})
  .describe('URIs published for people who need to reach the operator (XEP-0157).');

const log = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('The least that is logged.'),
    format: z
      .enum(['auto', 'json', 'pretty'])
      .default('auto')
      .describe('auto is pretty on a terminal and one JSON object a line elsewhere.'),
  })
  .prefault({})
  .describe('What is logged, to standard output.');

const storage = z
  .strictObject({
    quickCheck: flag(true, 'Check the database for damage at every start.'),
    ballastBytes: bytes(
      32 * 1024 * 1024,
      0,
      'Bytes kept in a file beside the database, to be given back when the disk is full. When less than twice that is free, nothing new is stored. 0 keeps none and refuses nothing early.',
    ),
  })
  .prefault({})
  .describe('The database.');

const shutdown = z
  .strictObject({
    drainSeconds: whole(10, 0, 3600, 'How long clients get to take what waits for them when the server stops.'),
  })
  .prefault({})
  .describe('How the server stops.');

/** The schema of the whole configuration file. */
export function configSchema(origin: Origin) {
  return z.strictObject({
    $schema: z.string().exactOptional().describe('For editors: where the JSON Schema of this file is.'),
    domains: z
      .array(domain)
      .min(1)
      .prefault(['localhost'])
      .describe('The domains served: what stands after the @ of addresses.'),
    dataDir: path(origin, 'Directory of everything the server keeps. Made if missing.').prefault('./data'),
    listen: listenSchema(listenerKinds),
    edges: whole(
      0,
      0,
      16,
      'Threads beside the main one that hold the connections of clients: sockets and TLS. 0: the main thread does it itself. See performance.md.',
    ),
    tls: tls(origin),
    components: z
      .record(domain, component(origin))
      .prefault({})
      .describe('Programs of their own that answer for further domains, by domain.'),
    authentication,
    registration,
    sessions,
    streamManagement,
    offline,
    amp: ampSchema,
    forwarding,
    roster,
    contact,
    log,
    storage,
    s2s: s2sSchema(origin),
    shutdown,
    limits: limitsSchema,
  });
}

/** A configuration that was checked: every key has a value, paths are absolute, secrets are in place. */
export type Config = z.output<ReturnType<typeof configSchema>>;

/** One address to listen on. */
export type Listener = z.output<typeof listenerSchema>;
