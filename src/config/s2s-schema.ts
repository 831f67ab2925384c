import { isIP } from 'node:net';
import { z } from 'zod';
import { bytes, domain, flag, type Origin, path, seconds, whole } from './fields.ts';

const authentication = z.enum(['certificate', 'dialback']);

/** A prepared domain, or `*.` and a prepared domain for all its subdomains. */
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
      .describe('starttls: TLS starts within the stream; direct: TLS from the first byte (XEP-0368).'),
  })
  .describe('The address of a server.');

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
      .describe('In place of `limits.s2s.readBytesPerSecond`. The burst is ten times as large.'),
  })
  .describe('Settings for this domain.');

const dns = z
  .strictObject({
    servers: z
      .array(nameserver)
      .default([])
      .describe("IP addresses of resolvers, with the port unless it is 53. Defaults to the system's resolvers."),
    timeoutSeconds: whole(3, 1, 60, 'Timeout of one query to one resolver.'),
    tries: whole(2, 1, 10, 'Number of queries to each resolver before it counts as failed.'),
  })
  .prefault({})
  .describe('DNS lookups of other servers.');

const waiting = z
  .strictObject({
    stanzas: whole(1000, 1, 1_000_000, 'Maximum stanzas waiting for one remote domain.'),
    bytes: bytes(4 * 1024 * 1024, 65_536, 'Maximum bytes waiting for one remote domain.'),
    seconds: seconds(120, 'Maximum time a stanza waits before it is returned to its sender.'),
  })
  .prefault({})
  .describe('Limits on stanzas that wait for a stream to another server.');

const backOff = z
  .strictObject({
    firstSeconds: seconds(5, 'Delay before the server tries an unreachable peer again. It doubles with every failure.'),
    longestSeconds: seconds(300, 'Longest delay.'),
  })
  .prefault({})
  .describe('Delays between attempts to reach an unreachable server.');

/** The `s2s` section: federation with other servers. */
export function s2sSchema(origin: Origin) {
  return z
    .strictObject({
      enabled: flag(true, 'Exchange stanzas with other servers.'),
      authentication: authentication
        .default('dialback')
        .describe(
          'How another server must prove its domain. certificate: by a valid certificate only; dialback: by a valid certificate, otherwise by dialback (XEP-0220).',
        ),
      tlsRequired: flag(true, 'Exchange stanzas over TLS only (RFC 7590 §3.4).'),
      allow: z
        .array(domainPattern)
        .exactOptional()
        .describe(
          'Federate with these domains only. `*.example.org` matches every subdomain of example.org. By default, all domains.',
        ),
      deny: z
        .array(domainPattern)
        .default([])
        .describe('Never federate with these domains. Takes precedence over `allow`.'),
      domains: z.record(domain, domainPolicy).prefault({}).describe('Settings for single domains.'),
      overrides: z
        .record(domain, z.array(address).min(1))
        .prefault({})
        .describe('Server addresses of single domains, used instead of DNS. They may be in private networks.'),
      allowPrivateAddresses: flag(
        false,
        'Connect to private, loopback and link-local addresses found in DNS. If false, only `s2s.overrides` can lead to such addresses.',
      ),
      trustedAuthorities: path(
        origin,
        'PEM file with certificates to trust in addition to those of Node.js: of authorities or of single servers.',
      ).exactOptional(),
      connectSeconds: whole(10, 1, 300, 'Time allowed for a TCP connection, over all addresses of one server.'),
      establishSeconds: whole(
        60,
        1,
        600,
        'Time allowed from the DNS lookup to an authenticated stream, over all servers of one domain.',
      ),
      idleCloseSeconds: seconds(600, 'Seconds without stanzas after which the server closes a stream.'),
      waiting,
      backOff,
      dns,
    })
    .prefault({})
    .describe('Federation with other servers.');
}
