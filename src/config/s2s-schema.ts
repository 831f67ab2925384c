import { isIP } from 'node:net';
import { z } from 'zod';
import { bytes, domain, flag, type Origin, path, seconds, whole } from './fields.ts';

const authentication = z.enum(['certificate', 'dialback']);

/** A domain, or `*.` and a domain for everything below it; prepared. */
const domainPattern = z.string().transform((value, context) => {
  const isWildcard = value.startsWith('*.');
  const prepared = domain.safeParse(isWildcard ? value.slice(2) : value);
  if (prepared.success) return isWildcard ? `*.${prepared.data}` : prepared.data;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a valid domain` });
  return z.NEVER;
});

const nameserver = z
  .string()
  .refine(isNameserver, { error: 'must be an IP address, with a port if need be: "192.0.2.1:53", "[2001:db8::1]:53"' });

function isNameserver(text: string): boolean {
  const [, six, four, port = '53'] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  return isIP(text) !== 0 || (isIP(six ?? four ?? '') !== 0 && Number(port) > 0 && Number(port) < 65_536);
}

const address = z
  .strictObject({
    host: z
      .string()
      .regex(/^[\w.:-]+$/, { error: 'must be a host name or an IP address' })
      .describe('Host name or IP address.'),
    port: whole(5269, 1, 65_535, 'TCP port.'),
    tls: z
      .enum(['starttls', 'direct'])
      .default('starttls')
      .describe('Whether TLS starts within the stream or with the first byte (XEP-0368).'),
  })
  .describe('Where a server is.');

const domainPolicy = z
  .strictObject({
    authentication: authentication.exactOptional().describe('In place of `s2s.authentication`.'),
    tlsRequired: z.boolean().exactOptional().describe('In place of `s2s.tlsRequired`.'),
    stanzaBytes: z
      .int()
      .min(10_000)
      .max(2 ** 30)
      .exactOptional()
      .describe('In place of `limits.s2s.stanzaBytes`.'),
    readBytesPerSecond: z
      .int()
      .min(1000)
      .max(2 ** 30)
      .exactOptional()
      .describe('In place of `limits.s2s.readBytesPerSecond`; ten times as much at once.'),
  })
  .describe('What holds for this domain.');

const dns = z
  .strictObject({
    servers: z
      .array(nameserver)
      .default([])
      .describe('Resolvers to ask, as IP addresses, with a port if it is not 53. None: those of the system.'),
    timeoutSeconds: whole(3, 1, 60, 'How long one resolver has to answer one question.'),
    tries: whole(2, 1, 10, 'How often every resolver is asked.'),
  })
  .prefault({})
  .describe('How other servers are looked up.');

const waiting = z
  .strictObject({
    stanzas: whole(1000, 1, 1_000_000, 'Stanzas that may wait for one other domain.'),
    bytes: bytes(4 * 1024 * 1024, 65_536, 'Bytes that may wait for one other domain.'),
    seconds: seconds(120, 'How long a stanza may wait before it goes back to its sender.'),
  })
  .prefault({})
  .describe('What waits for another server while there is no stream to it.');

const backOff = z
  .strictObject({
    firstSeconds: seconds(5, 'How long a server that could not be reached is left alone; each time twice as long.'),
    longestSeconds: seconds(300, 'At most.'),
  })
  .prefault({})
  .describe('Servers that cannot be reached.');

/** The `s2s` of the configuration: what is exchanged with other servers, and how they are found. */
export function s2sSchema(origin: Origin) {
  return z
    .strictObject({
      enabled: flag(true, 'Exchange stanzas with other servers.'),
      authentication: authentication
        .default('dialback')
        .describe(
          'How another server must prove its domain. certificate: by its certificate alone. dialback: by its certificate where that convinces, else by dialback (XEP-0220).',
        ),
      tlsRequired: flag(true, 'Nothing is exchanged without TLS (RFC 7590 §3.4).'),
      allow: z
        .array(domainPattern)
        .exactOptional()
        .describe('Only these domains; `*.example.org` is every domain below example.org. Left out: all.'),
      deny: z.array(domainPattern).default([]).describe('Not these domains, allowed or not.'),
      domains: z.record(domain, domainPolicy).prefault({}).describe('Rules for single domains.'),
      overrides: z
        .record(domain, z.array(address).min(1))
        .prefault({})
        .describe('Where the servers of some domains are, in place of what DNS says. They may be in private networks.'),
      allowPrivateAddresses: flag(
        false,
        'Connect to private, loopback and link-local addresses that DNS gives. Else only `s2s.overrides` may lead there.',
      ),
      trustedAuthorities: path(
        origin,
        'PEM file: certificates of authorities to trust besides those of Node.js, or of single servers.',
      ).exactOptional(),
      connectSeconds: whole(
        10,
        1,
        300,
        'From the first packet to a TCP connection, all addresses of a server together.',
      ),
      establishSeconds: whole(60, 1, 600, 'From the look-up to an authenticated stream, all servers together.'),
      idleCloseSeconds: seconds(600, 'A stream that carried nothing for so long is closed.'),
      waiting,
      backOff,
      dns,
    })
    .prefault({})
    .describe('Other servers (federation).');
}
