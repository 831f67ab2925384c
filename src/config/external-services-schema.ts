import { z } from 'zod';
import { hostOrAddress, type Origin, seconds, secret } from './fields.ts';

const types = ['stun', 'stuns', 'turn', 'turns'] as const;

/** The `externalServices` section. */
export function externalServicesSchema(origin: Origin) {
  return z
    .array(externalService(origin))
    .default([])
    .describe('STUN and TURN servers that the server tells its users about, for calls (XEP-0215).');
}

function externalService(origin: Origin) {
  return z
    .strictObject({
      type: z.enum(types).describe('The kind of service. stuns and turns use TLS.'),
      host: hostOrAddress.describe('Host name or IP address of the service.'),
      port: z
        .int()
        .min(1)
        .max(65_535)
        .exactOptional()
        .describe('Port. By default 3478 for stun and turn, 5349 for stuns and turns.'),
      transport: z
        .enum(['udp', 'tcp'])
        .exactOptional()
        .describe('Transport protocol. By default udp for stun and turn, tcp for stuns and turns.'),
      name: z.string().min(1).exactOptional().describe('A name for people.'),
      secret: secret(
        origin,
        'The secret shared with the service, from which the server makes a temporary password for each request. In coturn: static-auth-secret.',
      ).exactOptional(),
      ttlSeconds: seconds(86_400, 'How long a temporary password is valid. Some clients ask only when they connect.'),
      username: z.string().min(1).exactOptional().describe('The same user name for everybody, in place of `secret`.'),
      password: secret(origin, 'The password of `username`.').exactOptional(),
    })
    .refine(({ secret, username, password }) => secret === undefined || (username ?? password) === undefined, {
      error: 'has both a secret and a user name or password',
    })
    .refine(({ username, password }) => (username === undefined) === (password === undefined), {
      error: 'needs both username and password, or neither',
    })
    .describe('One service. Without `secret` and `username` it needs no password.');
}
