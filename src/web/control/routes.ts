import { z } from 'zod';
import { OperationError } from './operation-error.ts';
import type { ImportedUser, Operations } from './operations.ts';

/** What answers one method of one path. */
interface Route {
  /** Checks the input and carries the operation out; rejects with `invalid` for an input of another shape. */
  run(operations: Operations, input: unknown): Promise<unknown>;
}

const text = z.string().min(1);
const jidSchema = z.strictObject({ jid: text });
const withPassword = z.strictObject({ jid: text, password: z.string() });
const nothing = z.strictObject({});
const largestPage = 10_000;
const dayMs = 86_400_000;
const longestExpiryMs = 3650 * dayMs;
/** Longer ones would overflow a timer. */
const longestWaitMs = 24 * dayMs;

const scramKeys = z.strictObject({
  salt: z.base64(),
  iterations: z.int().positive(),
  storedKey: z.base64(),
  serverKey: z.base64(),
});

const contact = z.strictObject({
  contact: text,
  name: z.string(),
  groups: z.array(z.string()),
  subscription: z.enum(['none', 'to', 'from', 'both']),
  ask: z.boolean(),
  approved: z.boolean(),
  inRoster: z.boolean(),
  pendingIn: z.string().optional(),
});

const importedUser: z.ZodType<ImportedUser> = z.strictObject({
  jid: text,
  scram: z
    .strictObject({
      'SHA-1': scramKeys.exactOptional(),
      'SHA-256': scramKeys.exactOptional(),
      'SHA-512': scramKeys.exactOptional(),
    })
    .optional(),
  bcrypt: z
    .string()
    .regex(/^\$2[aby]\$/)
    .optional(),
  contacts: z.array(contact).optional(),
  privateXml: z.array(z.strictObject({ name: text, ns: z.string(), xml: text })).optional(),
  vcard: text.optional(),
  blocked: z.array(text).optional(),
  messages: z.array(z.strictObject({ from: z.string(), receivedAtMs: z.int(), xml: text })).optional(),
});

const userPage = z.strictObject({
  domain: text.optional(),
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(largestPage).default(largestPage),
});

const forwardPage = userPage.omit({ domain: true });

const rule = z.strictObject({ action: z.string(), condition: z.string(), value: z.string() });
const messageType = z.enum(['chat', 'error', 'groupchat', 'headline', 'normal']);

const explainRequest = z.strictObject({
  xml: text.optional(),
  from: text.optional(),
  to: text.optional(),
  type: messageType.optional(),
  rules: z.array(rule).optional(),
  atMs: z.int().optional(),
});

const sendRequest = z.strictObject({
  to: text,
  from: text.optional(),
  type: messageType.exclude(['error']).optional(),
  subject: z.string().optional(),
  body: z.string(),
  rules: z.array(rule).optional(),
  expireInMs: z.int().min(0).max(longestExpiryMs).optional(),
  onExpiry: z.enum(['alert', 'drop', 'error', 'notify']).optional(),
  waitMs: z.int().min(0).max(longestWaitMs),
});

/** Every endpoint of the control socket, by method and path. */
export const routes: ReadonlyMap<string, Route> = new Map([
  ['GET /status', route(nothing, (operations) => operations.status())],
  ['GET /users', route(userPage, async (operations, page) => ({ users: await operations.listUsers(page) }))],
  [
    'POST /users',
    route(withPassword, async (operations, { jid, password }) => ({ jid: await operations.addUser(jid, password) })),
  ],
  ['DELETE /users', route(jidSchema, (operations, { jid }) => operations.removeUser(jid))],
  [
    'PUT /users/password',
    route(withPassword, (operations, { jid, password }) => operations.setPassword(jid, password)),
  ],
  [
    'POST /users/import',
    route(z.strictObject({ users: z.array(importedUser) }), (operations, { users }) => operations.importUsers(users)),
  ],
  [
    'GET /sessions',
    route(z.strictObject({ user: text.optional() }), async (operations, { user }) => ({
      sessions: await operations.sessions(user),
    })),
  ],
  [
    'POST /s2s/test',
    route(z.strictObject({ remote: text, local: text.optional() }), (operations, { remote, local }) =>
      operations.testPeer(remote, local),
    ),
  ],
  ['GET /components', route(nothing, async (operations) => ({ components: await operations.components() }))],
  ['GET /s2s', route(z.strictObject({}), async (operations) => ({ streams: await operations.peers() }))],
  [
    'DELETE /sessions',
    route(z.strictObject({ jid: text, reason: text.optional() }), async (operations, { jid, reason }) => ({
      ended: await operations.kick(jid, reason),
    })),
  ],
  [
    'PUT /forwards',
    route(z.strictObject({ jid: text, target: text }), (operations, { jid, target }) =>
      operations.setForward(jid, target),
    ),
  ],
  ['DELETE /forwards', route(jidSchema, (operations, { jid }) => operations.setForward(jid, undefined))],
  ['GET /forwards', route(forwardPage, async (operations, page) => ({ forwards: await operations.forwards(page) }))],
  ['POST /messages/explain', route(explainRequest, (operations, request) => operations.explainMessage(request))],
  ['POST /messages', route(sendRequest, (operations, request) => operations.sendMessage(request))],
  ['POST /reload', route(nothing, (operations) => operations.reload())],
  ['POST /backup', route(z.strictObject({ file: text }), (operations, { file }) => operations.backup(file))],
]);

function route<Input>(
  schema: z.ZodType<Input>,
  run: (operations: Operations, input: Input) => Promise<unknown>,
): Route {
  return {
    run: async (operations, input) => {
      const parsed = schema.safeParse(input);
      if (!parsed.success) throw new OperationError('invalid', z.prettifyError(parsed.error));
      return run(operations, parsed.data);
    },
  };
}
