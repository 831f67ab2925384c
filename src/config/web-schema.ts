import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { flag, type Origin, secret } from './fields.ts';

const network = z.string().refine((value) => isNetwork(value), {
  error: 'must be an IP address or a network, such as "10.0.0.0/8" or "::1"',
});

const pageOrigin = z.string().refine((value) => value === '*' || isOrigin(value), {
  error: 'must be "*" or an origin, such as "https://chat.example.org"',
});

const publicUrl = z.string().regex(/^https?:\/\/[^\s/?#]+$/, {
  error: 'must be an address without a path, such as "https://chat.example.org"',
});

/** The `web` section. */
export const webSchema = (origin: Origin) =>
  z
    .strictObject({
      publicUrl: publicUrl
        .exactOptional()
        .describe(
          'The address of the HTTP listener for people and clients outside. By default, the first domain and the port of `listen.https`.',
        ),
      uploadUrl: publicUrl
        .exactOptional()
        .describe(
          'The address of the HTTP listener for uploaded files, if it is another one. A name of its own keeps them apart from other pages.',
        ),
      origins: z
        .array(pageOrigin)
        .default(['*'])
        .describe(
          'Origins of the web pages that may open streams. "*": every page. A page gains nothing but a connection.',
        ),
      trustedProxies: z
        .array(network)
        .default([])
        .describe('Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto headers are believed.'),
      metrics: z
        .strictObject({
          enabled: flag(false, 'Answer `/metrics` for monitoring systems. Takes about 10 MB of memory.'),
          token: secret(
            origin,
            'What a monitoring system on another machine must send as its bearer token. Without it, only programs on this machine are answered.',
          ).exactOptional(),
        })
        .prefault({})
        .describe('Figures in the OpenMetrics format.'),
    })
    .prefault({})
    .describe('Clients and pages on the HTTP listeners.');

/** The networks as a list that answers whether an address is in one of them. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const [address = '', prefix] = text.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([\dA-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(prefix ?? 0) <= (version === 4 ? 32 : 128);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
