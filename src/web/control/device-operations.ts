import { z } from 'zod';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import { accountAddress, type ServedDomains } from './served-domains.ts';

const text = z.string().min(1);

/** Lists the devices with access to an account. An account that does not exist has none. */
export const listDevices = operation({
  method: 'GET',
  path: '/devices',
  input: z.strictObject({ jid: text }),
  run: async (served: ServedDomains, { jid }) => ({ devices: await served.devices.list(accountAddress(served, jid)) }),
});

/** Ends the sessions of a device and removes its tokens. Returns whether it can come back because it knows the password. */
export const revokeDevice = operation({
  method: 'DELETE',
  path: '/devices',
  input: z.strictObject({ jid: text, device: text }),
  run: async (served: ServedDomains, { jid, device }) => {
    const account = accountAddress(served, jid);
    const revocation = await served.devices.revoke(account, device);
    if (!revocation) throw new OperationError('not-found', `${account} has no device ${device}.`);
    revocation.endSessions();
    return { knowsPassword: revocation.knowsPassword };
  },
});
