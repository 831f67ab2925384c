import { formatDateTime } from '../protocol/date-time.ts';
import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Extension, IqRequest } from '../routing/extension.ts';
import type { Device } from '../routing/session.ts';
import { attribute, type Element, xml } from '../xml/element.ts';

/** A device with access to an account. */
interface DeviceWithAccess extends Device {
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly knowsPassword: boolean;
  readonly hasToken: boolean;
  readonly connected: boolean;
}

/** A device without its tokens. */
interface DeviceRevocation {
  readonly knowsPassword: boolean;
  /** Ends the sessions of the device, which may be that of the requester. */
  endSessions(): void;
}

/** The devices of accounts. */
export interface AccountDevices {
  list(account: Jid): Promise<readonly DeviceWithAccess[]>;
  /** Undefined if there is no such device. */
  revoke(account: Jid, key: string): Promise<DeviceRevocation | undefined>;
  /** A device is in use. */
  seen(account: Jid, device: Device): void;
  /** Writes down which devices were seen. */
  write(): Promise<void>;
}

/** Client Access Management (XEP-0494): users list the devices with access to their account, and revoke it. */
export function clientAccess(devices: AccountDevices): Extension {
  const scopes = ['self'] as const;
  return {
    name: 'client-access',
    claims: [
      {
        spec: 'XEP-0494',
        title: 'Client Access Management',
        version: '0.1.0',
        status: 'complete',
        note: 'there are no grants; a device that knows the password loses its sessions and tokens, and the answer is password-reset-required',
      },
    ],
    disco: { account: [ns.clientAccess] },
    iq: [
      { name: 'list', ns: ns.clientAccess, type: 'get', scopes, handle: (request) => list(request, devices) },
      { name: 'revoke', ns: ns.clientAccess, type: 'set', scopes, handle: (request) => revoke(request, devices) },
    ],
    ended: ({ account, device }) => device && devices.seen(account.jid, device),
    closing: () => devices.write(),
  };
}

async function list({ from }: IqRequest, devices: AccountDevices): Promise<Element> {
  const found = await devices.list(from.bare());
  return xml('clients', { xmlns: ns.clientAccess }, ...found.map(clientElement));
}

/** XEP-0494 §3.1. All devices may do everything that the user may. */
function clientElement(device: DeviceWithAccess): Element {
  const { key, connected, firstSeenMs, lastSeenMs, knowsPassword, hasToken, software, name } = device;
  return xml(
    'client',
    { connected, id: key, type: 'session' },
    xml('first-seen', {}, formatDateTime(firstSeenMs)),
    xml('last-seen', {}, formatDateTime(lastSeenMs)),
    xml('auth', {}, knowsPassword ? xml('password') : undefined, hasToken ? xml('fast') : undefined),
    xml('permission', { status: 'unrestricted' }),
    xml(
      'user-agent',
      {},
      software === undefined ? undefined : xml('software', {}, software),
      name === undefined ? undefined : xml('device', {}, name),
    ),
  );
}

/** XEP-0494 §3.2. */
async function revoke({ from, payload, afterwards }: IqRequest, devices: AccountDevices): Promise<undefined> {
  const key = attribute(payload, 'id');
  if (key === undefined) throw StanzaError.badRequest("<revoke/> needs an 'id'");
  const revocation = await devices.revoke(from.bare(), key);
  if (!revocation) throw StanzaError.itemNotFound();
  if (!revocation.knowsPassword) {
    afterwards(() => revocation.endSessions());
    return undefined;
  }
  revocation.endSessions();
  throw StanzaError.serviceUnavailable('the device knows the password; change it to keep the device out', {
    extra: xml('password-reset-required', { xmlns: ns.clientAccess }),
  });
}
