import { z } from 'zod';
import { flag, network, type Origin, path, secret, whole } from './fields.ts';

const pageOrigin = z.string().refine((value) => value === '*' || isOrigin(value), {
  error: 'must be "*" or an origin, such as "https://chat.example.org"',
});

const publicUrl = z.string().regex(/^https?:\/\/[^\s/?#]+$/, {
  error: 'must be an address without a path, such as "https://chat.example.org"',
});

const hstsDays = whole(
  0,
  0,
  3650,
  'Days for which browsers must reach this host over HTTPS only (`Strict-Transport-Security`), in every answer over HTTPS. 0: no such header.',
);

/** The `web` section. */
export const webSchema = (origin: Origin) =>
  z
    .strictObject({
      publicUrl: publicUrl
        .exactOptional()
        .describe(
          'The address of the HTTP listener for people and clients outside. By default, the first domain and the port of `listen.https`, if clients reach it.',
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
      hstsDays,
      chat: z
        .enum(['loopback', 'everywhere', 'off'])
        .default('loopback')
        .describe(
          'Who may open the chat page at `/chat`, and converse.js at `/converse`. "loopback": browsers on this machine, while neither `web.publicUrl` nor `web.trustedProxies` is set.',
        ),
      converse: path(
        origin,
        'Directory of a build of converse.js, with `converse.min.js` in it. By default that of the package `converse.js`, if it is installed beside the server.',
      ).exactOptional(),
      console: z
        .strictObject({
          enabled: flag(
            true,
            'Answer `/console`, the pages for operators, where `listen.http` or `listen.https` has addresses. `ampere console` prints a link that opens it.',
          ),
          networks: z
            .array(network)
            .default(['127.0.0.0/8', '::1'])
            .describe('Addresses that may open it. From another machine, this needs HTTPS.'),
        })
        .prefault({})
        .describe('The console, see console.md.'),
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

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
